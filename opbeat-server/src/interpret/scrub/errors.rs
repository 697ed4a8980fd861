//! Scrubs errors and their frames.

use opbeat_protocol::read::Notes;
use opbeat_protocol::{ErrorBody, Exception, Frame, ParamMessage, Query, Stacktrace, Template, TransactionReference};

use super::values::{map, option, scrub_id, scrub_source, scrub_text, value};

/// Removes secrets from an error.
pub(in crate::interpret) fn error(body: &mut ErrorBody) {
    let ErrorBody {
        message,
        timestamp: _,
        level,
        logger,
        culprit,
        machine,
        client_supplied_id,
        exception,
        param_message,
        stacktrace,
        template,
        query,
        http,
        user,
        extra,
        tags,
        transaction,
        rev,
        environment,
        occurrences: _,
    } = body;
    scrub_text(message);
    [level, logger, culprit, environment].into_iter().for_each(option);
    [client_supplied_id, rev].into_iter().flatten().for_each(scrub_id);
    machine.iter_mut().for_each(|machine| scrub_text(&mut machine.hostname));
    exception.iter_mut().for_each(self::exception);
    param_message.iter_mut().for_each(self::param_message);
    stacktrace.iter_mut().for_each(|Stacktrace { frames }| self::frames(frames));
    template.iter_mut().for_each(self::template);
    query.iter_mut().for_each(|Query { query, engine }| {
        scrub_text(query);
        option(engine);
    });
    [http, user, extra, tags].into_iter().flatten().for_each(map);
    transaction.iter_mut().for_each(reference);
}

/// Removes secrets from frames: from variables, from literals in source lines, and from the URLs of scripts.
pub(in crate::interpret) fn frames(frames: &mut [Frame]) {
    for frame in frames {
        let Frame {
            filename,
            abs_path,
            lineno: _,
            colno: _,
            function,
            module,
            in_app: _,
            pre_context,
            context_line,
            post_context,
            vars,
        } = frame;
        scrub_text(filename);
        [abs_path, function, module].into_iter().for_each(option);
        vars.iter_mut().for_each(value);
        source([pre_context, post_context], context_line);
    }
}

/// Returns the notes without the secrets of the keys in their paths.
pub(in crate::interpret) fn notes(notes: &Notes) -> Notes {
    let mut scrubbed = Notes::default();
    for note in notes.iter() {
        let mut path = note.path.clone();
        // A token that was cut has no form by which it is recognised.
        if path.ends_with('…') {
            path.truncate(path.rfind('.').unwrap_or_default());
        }
        scrub_text(&mut path);
        scrubbed.add(note.oddity, note.count, &path);
    }
    scrubbed
}

/// Removes secrets from an exception and its causes. The JSON parser limits the depth of the recursion.
fn exception(exception: &mut Exception) {
    let Exception { type_name, value, module, causes } = exception;
    scrub_text(type_name);
    scrub_text(value);
    option(module);
    causes.iter_mut().for_each(self::exception);
}

fn param_message(message: &mut ParamMessage) {
    match message {
        ParamMessage::Template(template) => scrub_text(template),
        ParamMessage::Parts { message, params } => {
            scrub_text(message);
            value(params);
        }
        ParamMessage::Other(other) => value(other),
    }
}

fn template(template: &mut Template) {
    let Template { filename, abs_path, lineno: _, pre_context, context_line, post_context } = template;
    scrub_text(filename);
    option(abs_path);
    source([pre_context, post_context], context_line);
}

fn reference(reference: &mut TransactionReference) {
    let TransactionReference { id, name, kind, result } = reference;
    id.iter_mut().for_each(scrub_id);
    scrub_text(name);
    option(kind);
    result.iter_mut().for_each(value);
}

fn source(around: [&mut Option<Vec<Option<String>>>; 2], line: &mut Option<String>) {
    around.into_iter().flatten().flatten().flatten().chain(line).for_each(scrub_source);
}

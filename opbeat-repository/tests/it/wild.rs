//! Random histories in which the author of each line is known: edits, moves, copies, rewrites, renames and formatting.

use opbeat_repository::{Frame, Outcome, People};

use crate::support::{Random, Repo, budget};

const AUTHORS: [&str; 8] = ["Ana", "Bo", "Cleo", "Dan", "Eva", "Fay", "Gus", "Hal"];

#[derive(Clone)]
struct Line {
    text: String,
    author: &'static str,
}

type Function = Vec<Line>;

struct File {
    path: String,
    functions: Vec<Function>,
    indent: usize,
}

impl File {
    fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        self.functions.iter().flatten().cloned()
    }

    fn save(&self, repo: &Repo) {
        let indent = " ".repeat(self.indent);
        let text: String = self.lines().map(|line| format!("{indent}{}\n", line.text)).collect();
        repo.write(&self.path, text);
    }
}

fn function(id: usize, author: &'static str) -> Function {
    let words = ["cart", "order", "rate", "page", "user", "stock"];
    let word = words[id % words.len()];
    [
        format!("pub fn price_{id}({word}: &Input) -> Result<u64, PriceError> {{"),
        "    let items = input.items().collect::<Vec<_>>();".to_owned(),
        "    log_start(\"price\", items.len());".to_owned(),
        format!("    let total = fault_{id}(items, {word}.rates(), {id})?;"),
        format!("    let {word}_tax = total * tax_of({word}, {id});"),
        "    record(total);".to_owned(),
        format!("    Ok(total + {word}_tax)"),
        "}".to_owned(),
    ]
    .map(|text| Line { text, author })
    .to_vec()
}

/// Makes one change, and returns its name.
fn change(files: &mut [File], random: &mut Random, step: usize, author: &'static str) -> &'static str {
    let from = random.below(files.len());
    let to = (from + 1 + random.below(files.len() - 1)) % files.len();
    let count = files[from].functions.len();
    let at = random.below(count);
    let target = random.below(files[to].functions.len() + 1);
    let line = 1 + random.below(6);
    match random.below(10) {
        0 | 1 => {
            let changed = &mut files[from].functions[at][line];
            let name = format!("step{step}_");
            changed.text = changed.text.replacen("(", &format!("({name}, "), 1) + " // changed";
            changed.author = author;
            "edit"
        }
        2 if count > 1 => {
            let function = files[from].functions.remove(at);
            files[to].functions.insert(target, function);
            "move to another file"
        }
        3 if count > 1 => {
            let function = files[from].functions.remove(at);
            let place = random.below(count);
            files[from].functions.insert(place, function);
            "move within the file"
        }
        4 if count > 1 => {
            let mut function = files[from].functions.remove(at);
            function[line] = Line { text: format!("    edited_{step}(total, items);"), author };
            files[to].functions.insert(target, function);
            "move and edit"
        }
        5 => {
            let mut copy = files[from].functions[at].clone();
            for line in &mut copy {
                line.author = author;
            }
            files[to].functions.insert(target, copy);
            "copy"
        }
        6 => {
            files[from].functions[at] = function(1000 + step, author);
            "rewrite"
        }
        7 => {
            files[from].path = format!("src/folder{step}/code.rs");
            "rename"
        }
        8 => {
            files[from].indent = random.below(3) * 4;
            "indent"
        }
        _ => {
            files[from].functions.insert(at, function(2000 + step, author));
            "insert"
        }
    }
}

#[test]
fn nobody_is_assigned_wrongly_in_random_histories() {
    let (mut right, mut without, mut wrong) = (0, 0, Vec::new());
    let (mut all_right, mut all) = (0, 0);
    for seed in 1..=3 {
        let mut random = Random(seed * 77);
        let repo = Repo::new();
        let mut files: Vec<File> = (0..3)
            .map(|index| File {
                path: format!("src/start{index}.rs"),
                functions: (0..5).map(|n| function(index * 5 + n, "Ana")).collect(),
                indent: 0,
            })
            .collect();
        files.iter().for_each(|file| file.save(&repo));
        repo.commit("Ana", "first");
        for step in 0..25 {
            let author = AUTHORS[random.below(AUTHORS.len())];
            let before: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
            let name = change(&mut files, &mut random, step, author);
            for (before, file) in before.iter().zip(&files) {
                if *before != file.path {
                    repo.rename(before, &file.path);
                }
                file.save(&repo);
            }
            repo.commit(author, name);
        }
        let repository = repo.open();
        for file in &files {
            for (index, line) in file.lines().enumerate() {
                let number = u32::try_from(index + 1).expect("a short file");
                let frame = Frame { path: file.path.clone(), line: number, in_app: true, source: None };
                let outcome = repository.assign("main", &[frame], &People::new(), &budget()).expect("an outcome");
                let name = match &outcome {
                    Outcome::Assigned(found) => Some(found.author.name.as_str()),
                    _ => None,
                };
                all += 1;
                all_right += usize::from(name == Some(line.author));
                // Lines that many functions share have no author of their own: a diff may match any of them.
                if !line.text.contains("fault_") {
                    continue;
                }
                match name {
                    Some(name) if name == line.author => right += 1,
                    Some(name) => wrong
                        .push(format!("seed {seed} {}:{number} {}: {name}, not {}", file.path, line.text, line.author)),
                    None => without += 1,
                }
            }
        }
    }
    println!("{right} right, {} wrong, {without} without; of all {all} lines, {all_right} right", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right * 100 >= 90 * (right + without), "{right} right, {without} without");
}

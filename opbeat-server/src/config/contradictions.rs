//! Values that are valid by themselves, and contradict each other or what is on this machine.

use super::loaded::Loaded;
use super::mistake::{Mistake, Origin};
use super::settings::Purpose;
use crate::queue::{AmqpAddress, QueueAddress};
use crate::server::TlsFiles;
use crate::store::StoreAddress;

/// Adds a mistake for each contradiction, and joins the values that belong together.
pub(super) fn check(purpose: Purpose, loaded: &mut Loaded, mistakes: &mut Vec<Mistake>) {
    let found = [
        certificate(loaded),
        addresses(loaded),
        connections(loaded),
        inflated(loaded),
        in_flight(loaded),
        queue(loaded),
        store(loaded),
        backends(purpose, loaded),
        provider(loaded),
        new_people(loaded),
        passwords(loaded),
    ];
    mistakes.extend(found.into_iter().flatten());
}

fn certificate(loaded: &mut Loaded) -> Option<Mistake> {
    let settings = &mut loaded.settings;
    let (set, missing) = match (settings.certificate.clone(), settings.certificate_key.clone()) {
        (Some(certificate), Some(key)) => {
            settings.server.tls = Some(TlsFiles { certificate, key });
            return None;
        }
        (None, None) => return None,
        (Some(_), None) => ("tls.certificate", "tls.key"),
        (None, Some(_)) => ("tls.key", "tls.certificate"),
    };
    let message = format!("'{set}' is set and '{missing}' is not; set both, or none for plain HTTP");
    Some(Mistake { origin: loaded.origin(set), message })
}

fn addresses(loaded: &mut Loaded) -> Option<Mistake> {
    let listen = &loaded.settings.server.listen;
    let is_twice = |index: usize| listen[index].port() != 0 && listen[..index].contains(&listen[index]);
    let twice = (0..listen.len()).find(|index| is_twice(*index)).map(|index| listen[index])?;
    let message = format!("'listen' contains the address {twice} twice; remove one");
    Some(Mistake { origin: loaded.origin("listen"), message })
}

fn connections(loaded: &mut Loaded) -> Option<Mistake> {
    let limits = &loaded.settings.server.connections;
    let (total, per_address) = limits.total.zip(limits.per_address)?;
    is_less(loaded, ("limits.connections", total), ("limits.connections_per_address", per_address))
}

fn inflated(loaded: &mut Loaded) -> Option<Mistake> {
    let limits = &loaded.settings.server.intake;
    is_less(loaded, ("limits.inflated_bytes", limits.inflated), ("limits.body_bytes", limits.body))
}

fn in_flight(loaded: &mut Loaded) -> Option<Mistake> {
    let limits = &loaded.settings.server.intake;
    is_less(loaded, ("limits.in_flight_bytes", limits.in_flight), ("limits.body_bytes", limits.body))
}

/// Returns a mistake if the first of two keys is less than the second one. It is at the key that was set last.
fn is_less(loaded: &Loaded, a: (&str, usize), b: (&str, usize)) -> Option<Mistake> {
    let at = if loaded.origin(a.0) == Origin::Default { b.0 } else { a.0 };
    let message = || format!("'{}' is less than '{}': increase the first one, or decrease the second one", a.0, b.0);
    (a.1 < b.1).then(|| Mistake { origin: loaded.origin(at), message: message() })
}

/// The URL of RabbitMQ may name a file with authorities.
fn queue(loaded: &mut Loaded) -> Option<Mistake> {
    let QueueAddress::Amqp(url) = &loaded.settings.server.queue else { return None };
    let message = AmqpAddress::parse(url).err()?.to_string();
    Some(Mistake { origin: loaded.origin("queue"), message })
}

/// The URL of PostgreSQL has a mode of encryption, and may name a file with authorities.
fn store(loaded: &mut Loaded) -> Option<Mistake> {
    let url = loaded.settings.server.store.clone()?;
    let message = StoreAddress::Postgres(url).check().err()?.to_string();
    Some(Mistake { origin: loaded.origin("store"), message })
}

/// Roles in several processes need a queue and a database that the processes share.
fn backends(purpose: Purpose, loaded: &mut Loaded) -> Option<Mistake> {
    let needs_queue = match purpose {
        Purpose::Serve | Purpose::Command => return None,
        Purpose::Intake | Purpose::Worker => true,
        Purpose::Web => false,
    };
    let server = &loaded.settings.server;
    let lacks_queue = needs_queue && server.queue == QueueAddress::Embedded;
    let lacks_store = server.store.is_none();
    let (missing, origin) = match (lacks_queue, lacks_store) {
        (false, false) => return None,
        (true, true) => ("--queue amqp://… and --store postgres://…", Origin::Default),
        (true, false) => ("--queue amqp://…", Origin::Default),
        (false, true) => ("--store postgres://…", loaded.origin("queue")),
    };
    let message = format!(
        "`{}` shares its data with other processes: pass {missing}, or set the keys of these names; `opbeat serve` \
         runs all roles in one process and needs neither",
        purpose.command()
    );
    Some(Mistake { origin, message })
}

/// A provider of OpenID Connect has three parts.
fn provider(loaded: &mut Loaded) -> Option<Mistake> {
    let provider = &loaded.settings.server.sign_in.openid_connect;
    let parts = [
        ("openid_connect.issuer", provider.issuer.is_some()),
        ("openid_connect.client_id", provider.client_id.is_some()),
        ("openid_connect.client_secret", provider.client_secret.is_some()),
    ];
    let set = parts.iter().find(|(_, is_set)| *is_set).map(|(key, _)| *key)?;
    let missing = parts.iter().find(|(_, is_set)| !*is_set).map(|(key, _)| *key)?;
    let message = format!("'{set}' is set and '{missing}' is not; a provider needs the issuer, the id and the secret");
    Some(Mistake { origin: loaded.origin(set), message })
}

/// Many providers have accounts of the whole world, which must not all come in.
fn new_people(loaded: &mut Loaded) -> Option<Mistake> {
    let provider = &loaded.settings.server.sign_in.openid_connect;
    if provider.organization.is_none() || !provider.domains.is_empty() {
        return None;
    }
    let message =
        "'openid_connect.organization' lets new people in, and 'openid_connect.domains' is not set; name the \
                   domains of their e-mail addresses"
            .to_owned();
    Some(Mistake { origin: loaded.origin("openid_connect.organization"), message })
}

/// Somebody must be able to sign in.
fn passwords(loaded: &mut Loaded) -> Option<Mistake> {
    let sign_in = &loaded.settings.server.sign_in;
    if sign_in.passwords || sign_in.openid_connect.issuer.is_some() {
        return None;
    }
    let message = "'sign_in.passwords' is false and there is no provider; set 'openid_connect.issuer'".to_owned();
    Some(Mistake { origin: loaded.origin("sign_in.passwords"), message })
}

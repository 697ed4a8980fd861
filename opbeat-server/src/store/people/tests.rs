//! Changes by two processes at the same time, and outdated values.

use crate::audit::ChangedBy;
use crate::role::Role;
use crate::store::{Changed, Invitee, Joined, NewApp, NewInvitation, NewPerson, OwnChange, PersonSession, stores};

fn person(name: &str) -> NewPerson {
    NewPerson { email: format!("{name}@x"), name: name.to_owned(), password: Some(format!("hash of {name}")) }
}

fn by() -> ChangedBy {
    ChangedBy::command_line()
}

fn session(number: u8) -> PersonSession {
    PersonSession { hash: [number; 32], created_at: number.into(), address: String::new(), browser: String::new() }
}

#[tokio::test]
async fn of_two_changes_at_the_same_time_one_is_made() {
    for store in stores().await {
        let other = store.open_again().await;
        let app = || NewApp { organization: "acme".to_owned(), app: "shop".to_owned(), ..NewApp::default() };
        let (first, second) = tokio::join!(
            store.create_owner(person("ana"), app(), [1; 32], by()),
            other.create_owner(person("bo"), app(), [2; 32], by()),
        );
        let owners: Vec<_> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
        assert_eq!(owners.len(), 1, "the server has one first run");
        let organization = owners[0].app.as_ref().unwrap().organization_id.clone();

        store.create_person("acme", person("cy"), (Some(Role::Admin), false), by()).await.unwrap();
        let members = store.members(&organization).await.unwrap();
        let [a, b] = &members[..] else { panic!("{members:?}") };
        let (first, second) = tokio::join!(
            store.change_role(&organization, &a.id, Role::Reader, by()),
            other.change_role(&organization, &b.id, Role::Reader, by()),
        );
        let changed = [first.unwrap(), second.unwrap()];
        assert!(changed.contains(&Changed::Done) && changed.contains(&Changed::LastAdmin), "{changed:?}");

        let new = NewInvitation { hash: [3; 32], email: "di@x".to_owned(), role: Role::Member, expires_at: i64::MAX };
        assert_eq!(store.invite(&organization, new, by()).await.unwrap(), Changed::Done);
        let (first, second) = tokio::join!(
            store.accept_invitation(&[3; 32], Invitee::New(person("di")), by()),
            other.accept_invitation(&[3; 32], Invitee::New(person("di")), by()),
        );
        let joined = [first.unwrap(), second.unwrap()];
        let is_done = |joined: &Joined| matches!(joined, Joined::Done(_));
        assert!(joined.iter().any(is_done) && joined.contains(&Joined::Missing), "{joined:?}");
        assert_eq!(store.count_members(&organization).await.unwrap(), 3);
        other.close().await;
        store.close().await;
    }
}

#[tokio::test]
async fn an_outdated_password_opens_no_session_and_changes_nothing() {
    for store in stores().await {
        store.create_app("shop").await;
        store.create_person("acme", person("ana"), (None, false), by()).await.unwrap();
        let ana = store.account("ana@x").await.unwrap().unwrap().id;
        let open = async |number, password| {
            store.open_person_session(&ana, password, session(number), i64::MAX).await.unwrap()
        };
        assert!(open(1, Some("hash of ana")).await && open(2, None).await);
        let own = |before: &str| Some(OwnChange { before: before.to_owned(), session: [1; 32] });
        let set = async |password: &str, own| store.set_password(&ana, password.to_owned(), own, by()).await.unwrap();
        assert_eq!(set("new", own("hash of ana")).await, Changed::Done);
        // A sign-in and a change began before.
        assert!(!open(3, Some("hash of ana")).await);
        assert_eq!(set("third", own("hash of ana")).await, Changed::Missing);
        let left = store.person_sessions(&ana, 0).await.unwrap();
        assert_eq!(left, [session(1)], "the session of the browser that changed the password stays");
        assert!(open(3, Some("new")).await && !store.open_person_session("nobody", None, session(4), 9).await.unwrap());
        assert_eq!(set("by the command line", None).await, Changed::Done);
        assert_eq!(store.person_sessions(&ana, 0).await.unwrap(), []);
        store.close().await;
    }
}

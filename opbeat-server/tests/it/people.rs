//! People: the first run, passwords, invitations, roles, teams, sessions and the audit log.

use std::time::Instant;

use opbeat_server::{Server, ServerConfig};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

use crate::browser::{Browser, PASSWORD, join, location, member, sign_in};
use crate::database::{Database, TestDatabase};
use crate::pages::text;
use crate::running::{PATIENCE, Running, session_of, sign_in_by_link};

#[tokio::test]
async fn the_first_link_creates_the_owner_and_an_app_that_waits() {
    let database = TestDatabase::create().await;
    let folder: TempDir = tempfile::tempdir().unwrap();
    let mut config = ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
    config.store = database.as_ref().map(TestDatabase::url);
    config.probe.interval = None;
    let server = Server::start(config).await.unwrap();
    let opened = Browser::new(&server, "").client.get(server.sign_in_url()).send().await.unwrap();
    assert_eq!(location(&opened), "/first-run/");
    let owner = Browser::new(&server, session_of(&opened));
    let page = owner.page("/first-run/").await;
    assert!(page.contains("value=\"my-company\"") && page.contains("value=\"my-app\""), "{page}");
    let fields = |email, password, app| {
        [("name", "Ana"), ("email", email), ("password", password), ("organization", "acme"), ("app", app)]
    };
    for (fields, reason) in [
        (fields("nobody", PASSWORD, "shop"), "Enter an e-mail address"),
        (fields("ana@acme.example", "short", "shop"), "at least 10 characters"),
        (fields("ana@acme.example", PASSWORD, "people"), "Some names, such as api"),
    ] {
        let refused = owner.refused("/first-run/", &fields, StatusCode::BAD_REQUEST).await;
        assert!(refused.contains(reason), "{refused}");
    }
    let created = owner.post("/first-run/", &fields("Ana@Acme.Example", PASSWORD, "shop")).await;
    assert_eq!(created.status(), StatusCode::OK);
    let cookie = created.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = created.text().await.unwrap();
    assert!(text(&page).contains("Waiting for the first request of shop"), "{page}");
    let setting = |name: &str| page.split_once(&format!("{name}=")).unwrap().1.split('\n').next().unwrap().to_owned();
    let url = format!(
        "{}/api/v1/organizations/{}/apps/{}/errors/",
        setting("OPBEAT_SERVER_URL"),
        setting("OPBEAT_ORGANIZATION_ID"),
        setting("OPBEAT_APP_ID")
    );
    let sent = owner.client.post(url).bearer_auth(setting("OPBEAT_SECRET_TOKEN"));
    let sent = sent.body(json!({"message": "no ink"}).to_string()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::ACCEPTED, "the settings work");

    let ana = Browser::new(&server, cookie);
    assert!(text(&ana.page("/me/").await).contains("ana@acme.example , an owner of this server"));
    assert!(text(&ana.page("/acme/people/").await).contains("Ana ana@acme.example admin"));
    assert_eq!(ana.get("/acme/shop/").await.status(), StatusCode::OK);
    assert_eq!(owner.get("/first-run/").await.status(), StatusCode::SEE_OTHER, "the session of the link has ended");
    // From now on the link signs in as the owner of the server, and creates nobody.
    let owner = Browser::new(&server, sign_in_by_link(&server).await);
    for first_run in [owner.get("/first-run/").await, owner.post("/first-run/", &fields("bo@x", PASSWORD, "x")).await] {
        assert_eq!((first_run.status(), location(&first_run)), (StatusCode::SEE_OTHER, "/"));
    }
    let opened = owner.client.get(server.sign_in_url()).send().await.unwrap();
    assert_eq!(location(&opened), "/");
    server.shut_down().await;
}

#[tokio::test]
async fn only_the_owner_of_the_link_creates_the_first_account() {
    let running = Running::start().await;
    let fields = [("name", "Eve"), ("email", "eve@x"), ("password", PASSWORD), ("organization", "a"), ("app", "b")];
    let stranger = Browser::new(&running.server, "").post("/first-run/", &fields).await;
    assert_eq!(location(&stranger), "/sign-in?next=%2Ffirst-run%2F");
    let reader = Browser::new(&running.server, "").post("/sign-in", &[("token", &running.read_token)]).await;
    let reader = Browser::new(&running.server, session_of(&reader)).post("/first-run/", &fields).await;
    assert_eq!(location(&reader), "/");
    assert_eq!(sign_in(&running.server, "eve@x", PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
    // A server with apps keeps them. The owner is an admin of each organization.
    let owner = Browser::new(&running.server, &running.cookie);
    let created = owner.post("/first-run/", &fields).await;
    assert_eq!(location(&created), "/");
    let eve = Browser::new(&running.server, session_of(&created));
    assert!(text(&eve.page("/acme/people/").await).contains("Eve eve@x admin"));
    assert_eq!(eve.get("/a/people/").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_password_signs_in_and_leads_to_the_page_that_was_asked_for() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "bo", "reader").await;
    for (email, password) in
        [("bo@acme.example", "wrong password"), ("nobody@acme.example", PASSWORD), ("bo", PASSWORD), ("", "")]
    {
        let refused = sign_in(&running.server, email, password).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{email}");
        let page = text(&refused.text().await.unwrap());
        assert!(page.contains("This e-mail address or this password is wrong."), "{page}");
    }
    let visitor = Browser::new(&running.server, "");
    for (next, target) in [
        ("/acme/shop/?range=6h", "/acme/shop/?range=6h"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
    ] {
        let fields = [("email", " BO@acme.example "), ("password", PASSWORD), ("next", next)];
        let signed_in = visitor.post("/sign-in", &fields).await;
        assert_eq!((signed_in.status(), location(&signed_in)), (StatusCode::SEE_OTHER, target), "{next}");
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    }
    let forged = visitor.form("/sign-in", &[("email", "bo@acme.example"), ("password", PASSWORD)]);
    let forged = forged.header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    // Neither the password nor the id of a session is in the database.
    let session = session_of(&sign_in(&running.server, "bo@acme.example", PASSWORD).await);
    let id = session.split_once('=').unwrap().1.to_owned();
    for (place, value) in Database::of(&running).await.values().await {
        let value = String::from_utf8_lossy(&value);
        assert!(!value.contains(PASSWORD) && !value.contains(&id), "{place}");
    }
}

#[tokio::test]
async fn failed_sign_ins_are_limited_by_address_and_by_account() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "bo", "member").await;
    join(&owner, "acme", "cy", "member").await;
    let visitor = Browser::new(&running.server, "");
    let attempt = async |address: &str, email: &str, password: &str| {
        let form = visitor.form("/sign-in", &[("email", email), ("password", password)]);
        form.header("x-forwarded-for", address).send().await.unwrap()
    };
    // Anybody can make up addresses without an account, which leave no entries in the audit log.
    for number in 0..11 {
        attempt(&format!("10.0.3.{number}"), "ghost@acme.example", "a wrong password").await;
    }
    for number in 0..10 {
        let failed = attempt(&format!("10.0.0.{number}"), "bo@acme.example", "a wrong password").await;
        assert_eq!(failed.status(), StatusCode::UNAUTHORIZED);
    }
    let blocked = attempt("10.0.1.1", "bo@acme.example", PASSWORD).await;
    assert_eq!(blocked.status(), StatusCode::TOO_MANY_REQUESTS, "otherwise the password could be guessed");
    assert!(blocked.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 600);
    assert_eq!(attempt("10.0.1.1", "cy@acme.example", PASSWORD).await.status(), StatusCode::SEE_OTHER);
    for number in 0..10 {
        let failed = attempt("10.0.2.1", &format!("nobody{number}@x"), "a wrong password").await;
        assert_eq!(failed.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt("10.0.2.1", "cy@acme.example", PASSWORD).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let deadline = Instant::now() + PATIENCE;
    let log = loop {
        let log = text(&owner.page("/acme/people/audit/").await);
        if log.contains("failed too often") {
            break log;
        }
        assert!(Instant::now() < deadline, "no entry: {log}");
        tokio::task::yield_now().await;
    };
    assert_eq!(log.matches("somebody failed too often to sign in as bo@acme.example").count(), 1, "{log}");
    assert!(log.contains("10.0.1.1") && !log.contains("ghost"), "{log}");
}

#[tokio::test]
async fn an_invitation_is_accepted_once() {
    let running = Running::start().await;
    let server = &running.server;
    let owner = Browser::new(server, &running.cookie);
    let visitor = Browser::new(server, "");
    let first = owner.invite("acme", "bo@acme.example", "member").await;
    let second = owner.invite("acme", "Bo@Acme.Example", "reader").await;
    assert_eq!(visitor.get(&first).await.status(), StatusCode::NOT_FOUND, "the second one replaced it");
    let page = text(&visitor.page(&second).await);
    assert!(page.contains("invites bo@acme.example as reader, who sees everything."), "{page}");
    let short = [("name", "Bo"), ("password", "short")];
    assert!(visitor.refused(&second, &short, StatusCode::BAD_REQUEST).await.contains("too short"));
    let fields = [("name", "Bo"), ("password", PASSWORD)];
    let forged = visitor.form(&second, &fields).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    let joined = visitor.post(&second, &fields).await;
    let bo = Browser::new(server, session_of(&joined));
    assert_eq!(bo.get("/acme/shop/").await.status(), StatusCode::OK);
    assert_eq!(visitor.post(&second, &fields).await.status(), StatusCode::NOT_FOUND, "it was used");
    let again = [("action", "invite"), ("email", "bo@acme.example"), ("role", "admin")];
    assert!(owner.refused("/acme/people/", &again, StatusCode::BAD_REQUEST).await.contains("is a member already"));

    let expired = owner.invite("acme", "cy@acme.example", "member").await;
    Database::of(&running).await.run("UPDATE invitations SET expires_at = 1").await;
    assert_eq!(visitor.get(&expired).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(visitor.post(&expired, &fields).await.status(), StatusCode::NOT_FOUND);
    assert!(
        text(&owner.page("/acme/people/").await).contains("cy@acme.example member the owner of the server expired")
    );
    let withdrawn = owner.invite("acme", "di@acme.example", "member").await;
    owner.change("/acme/people/", &[("action", "withdraw"), ("email", "di@acme.example")]).await;
    assert_eq!(visitor.get(&withdrawn).await.status(), StatusCode::NOT_FOUND);

    // A person with an account joins with it, and nobody else can.
    running.server.create_app("rival", "store").await.unwrap();
    let invitation = owner.invite("rival", "bo@acme.example", "member").await;
    let page = text(&visitor.page(&invitation).await);
    assert!(page.contains("There is an account with this address."), "{page}");
    let taken = visitor.refused(&invitation, &[("name", "X"), ("password", "another password")], StatusCode::OK).await;
    assert!(taken.contains("There is an account with this address."), "{taken}");
    assert_eq!(sign_in(server, "bo@acme.example", "another password").await.status(), StatusCode::UNAUTHORIZED);
    let joined = bo.post(&invitation, &[]).await;
    let bo = Browser::new(server, session_of(&joined));
    let me = text(&bo.page("/me/").await);
    assert!(me.contains("acme reader rival member"), "{me}");
}

#[tokio::test]
async fn roles_limit_what_a_person_may_change() {
    let running = Running::start().await;
    running.accept("errors", &json!({"message": "no ink"})).await;
    running.drained().await;
    let owner = Browser::new(&running.server, &running.cookie);
    let ana = join(&owner, "acme", "ana", "admin").await;
    let bo = join(&owner, "acme", "bo", "member").await;
    let cy = join(&owner, "acme", "cy", "reader").await;
    let resolve = [("number", "1"), ("action", "resolve"), ("back", "/acme/shop/errors/")];
    let refused = cy.refused("/acme/shop/errors/change", &resolve, StatusCode::FORBIDDEN).await;
    assert!(refused.contains("The role member allows it"), "{refused}");
    assert!(!cy.page("/acme/shop/errors/1/").await.contains("Add comment"));
    bo.change("/acme/shop/errors/change", &resolve).await;
    assert!(text(&cy.page("/acme/shop/errors/1/").await).contains("bo resolved it"));

    let person = member(&ana, "cy").await;
    for browser in [&bo, &cy] {
        assert!(!browser.page("/acme/people/").await.contains("<button type=\"submit\">Create"));
        assert_eq!(browser.get("/acme/people/audit/").await.status(), StatusCode::FORBIDDEN);
        for (path, fields) in [
            ("/acme/people/", &[("action", "invite"), ("email", "eve@x"), ("role", "admin")][..]),
            ("/acme/people/", &[("action", "create-team"), ("team", "backend")]),
            (&person, &[("action", "role"), ("role", "admin")]),
            (&person, &[("action", "add-alias"), ("alias", "x@x")]),
            (&person, &[("action", "remove")]),
        ] {
            let refused = browser.refused(path, fields, StatusCode::FORBIDDEN).await;
            assert!(refused.contains("Only an admin"), "{refused}");
        }
    }
    // The next request has the new role.
    ana.change(&person, &[("action", "role"), ("role", "admin")]).await;
    assert_eq!(cy.get("/acme/people/audit/").await.status(), StatusCode::OK);
    let forged = ana.form(&person, &[("action", "remove")]).header("origin", "https://evil.example");
    assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    ana.change(&person, &[("action", "remove")]).await;
    assert_eq!(cy.get("/acme/shop/").await.status(), StatusCode::NOT_FOUND);
    // The last admin stays, also for the owner of the server.
    let last = member(&ana, "ana").await;
    for fields in [&[("action", "remove")][..], &[("action", "role"), ("role", "reader")]] {
        for browser in [&ana, &owner] {
            let refused = browser.refused(&last, fields, StatusCode::BAD_REQUEST).await;
            assert!(refused.contains("This is the last admin of the organization."), "{refused}");
        }
    }
    let log = text(&ana.page("/acme/people/audit/").await);
    for entry in [
        "ana (ana@acme.example) removed cy@acme.example from the organization",
        "ana (ana@acme.example) changed the role of cy@acme.example from reader to admin",
        "bo (bo@acme.example) joined with the invitation of bo@acme.example as member",
        "the owner of the server invited cy@acme.example as reader",
    ] {
        assert!(log.contains(entry), "{entry}: {log}");
    }
}

#[tokio::test]
async fn a_person_sees_nothing_of_another_organization() {
    let running = Running::start().await;
    running.server.create_app("rival", "store").await.unwrap();
    let owner = Browser::new(&running.server, &running.cookie);
    let ana = join(&owner, "acme", "ana", "admin").await;
    let eve = join(&owner, "rival", "eve", "admin").await;
    owner.change("/acme/people/", &[("action", "create-team"), ("team", "backend")]).await;
    let person = member(&owner, "ana").await;
    for path in ["/acme/shop/", "/acme/people/", "/acme/people/audit/", "/acme/people/teams/1/", &person] {
        assert_eq!(eve.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(ana.get(path).await.status(), StatusCode::OK, "{path}");
    }
    // Ids of another organization have no effect below one's own.
    let foreign = person.replace("/acme/", "/rival/");
    for (path, fields) in [
        (&*person, &[("action", "remove")][..]),
        (&foreign, &[("action", "remove")]),
        (&foreign, &[("action", "role"), ("role", "reader")]),
        (&foreign, &[("action", "add-alias"), ("alias", "x@x")]),
        ("/rival/people/teams/1/", &[("action", "remove")]),
        ("/rival/people/teams/1/", &[("action", "add-app"), ("app", "store")]),
        ("/acme/people/", &[("action", "invite"), ("email", "x@x"), ("role", "admin")]),
    ] {
        eve.refused(path, fields, StatusCode::NOT_FOUND).await;
    }
    assert!(!text(&eve.page("/").await).contains("acme"));
    assert!(!text(&eve.page("/rival/people/audit/").await).contains("ana"));
    assert!(text(&ana.page("/acme/people/").await).contains("backend 0 0"));
}

#[tokio::test]
async fn members_have_aliases_and_teams_have_members_and_apps() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "admin").await;
    join(&owner, "acme", "bo", "member").await;
    let (ana, bo) = (member(&owner, "ana").await, member(&owner, "bo").await);
    owner.change(&ana, &[("action", "add-alias"), ("alias", "Ana@Old.Example")]).await;
    for alias in ["ana@old.example", "ana@acme.example"] {
        let refused = owner.refused(&bo, &[("action", "add-alias"), ("alias", alias)], StatusCode::BAD_REQUEST).await;
        assert!(refused.contains("Another member has this address."), "{refused}");
    }
    let refused = owner.refused(&bo, &[("action", "add-alias"), ("alias", "no")], StatusCode::BAD_REQUEST).await;
    assert!(refused.contains("This is not an e-mail address."), "{refused}");
    assert!(text(&owner.page("/acme/people/").await).contains("ana ana@acme.example ana@old.example admin"));
    owner.change(&ana, &[("action", "remove-alias"), ("alias", "ana@old.example")]).await;
    owner.change(&bo, &[("action", "add-alias"), ("alias", "ana@old.example")]).await;

    owner.change("/acme/people/", &[("action", "create-team"), ("team", "<b>backend</b>")]).await;
    let twice = [("action", "create-team"), ("team", "<b>backend</b>")];
    assert!(owner.refused("/acme/people/", &twice, StatusCode::BAD_REQUEST).await.contains("There is a team"));
    let page = owner.page("/acme/people/").await;
    assert!(page.contains("&lt;b&gt;backend&lt;/b&gt;") && !page.contains("<script"), "{page}");
    let team = page.split_once("/acme/people/teams/").unwrap().1.split('/').next().unwrap();
    let team = format!("/acme/people/teams/{team}/");
    owner.change(&team, &[("action", "add-member"), ("email", "bo@acme.example")]).await;
    owner.change(&team, &[("action", "add-app"), ("app", "shop")]).await;
    let nobody = [("action", "add-member"), ("email", "nobody@acme.example")];
    assert!(owner.refused(&team, &nobody, StatusCode::BAD_REQUEST).await.contains("No member of the organization"));
    let nothing = [("action", "add-app"), ("app", "nothing")];
    assert!(owner.refused(&team, &nothing, StatusCode::BAD_REQUEST).await.contains("no app with this name"));
    let page = text(&owner.page(&team).await);
    assert!(page.contains("Members bo Remove bo") && page.contains("Apps shop Remove shop"), "{page}");
    // A person who leaves the organization leaves its teams and addresses too.
    owner.change(&bo, &[("action", "remove"), ("confirmed", "yes")]).await;
    assert!(text(&owner.page(&team).await).contains("This team has no members yet."));
    owner.change(&ana, &[("action", "add-alias"), ("alias", "ana@old.example")]).await;
    owner.change(&team, &[("action", "remove")]).await;
    assert_eq!(owner.get(&team).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(owner.get("/acme/shop/").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn sessions_are_listed_and_end_with_a_new_password() {
    let running = Running::start().await;
    let server = &running.server;
    let owner = Browser::new(server, &running.cookie);
    let first = join(&owner, "acme", "bo", "member").await;
    let again = async || Browser::new(server, session_of(&sign_in(server, "bo@acme.example", PASSWORD).await));
    let (second, third) = (again().await, again().await);
    let page = third.page("/me/").await;
    let listed = text(&page);
    assert_eq!(listed.matches("test browser 127.0.0.1").count(), 3, "{listed}");
    assert_eq!(listed.matches("this browser").count(), 1, "{listed}");
    // The last one in the list is the oldest.
    let hash = page.rsplit_once("name=\"session\" value=\"").unwrap().1.split('"').next().unwrap();
    let eve = join(&owner, "acme", "eve", "admin").await;
    eve.change("/me/", &[("action", "end-session"), ("session", hash)]).await;
    assert_eq!(first.get("/me/").await.status(), StatusCode::OK, "nobody ends the sessions of others");
    third.change("/me/", &[("action", "end-session"), ("session", hash)]).await;
    assert_eq!(first.get("/me/").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(second.get("/me/").await.status(), StatusCode::OK);

    let change = |current, new| [("action", "password"), ("current", current), ("new", new)];
    let wrong = third.refused("/me/", &change("a wrong password", "a new password"), StatusCode::BAD_REQUEST).await;
    assert!(wrong.contains("This is not your current password."), "{wrong}");
    let forged = third.form("/me/", &change(PASSWORD, "a new password")).header("origin", "https://evil.example");
    assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    third.change("/me/", &change(PASSWORD, "a new password")).await;
    assert_eq!(second.get("/me/").await.status(), StatusCode::SEE_OTHER, "all others end");
    assert_eq!(third.get("/me/").await.status(), StatusCode::OK);
    assert_eq!(sign_in(server, "bo@acme.example", PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
    let fourth = session_of(&sign_in(server, "bo@acme.example", "a new password").await);
    third.change("/me/", &[("action", "end-others")]).await;
    assert_eq!(Browser::new(server, fourth).get("/me/").await.status(), StatusCode::SEE_OTHER);
    third.change("/me/", &[("action", "name"), ("name", "Bo the Second")]).await;
    assert!(text(&third.page("/acme/people/").await).contains("Bo the Second"));
    assert_eq!(third.post("/sign-out", &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(third.get("/me/").await.status(), StatusCode::SEE_OTHER, "signing out ends the session");
    // Sessions outlive the server.
    let kept = session_of(&sign_in(server, "bo@acme.example", "a new password").await);
    let running = running.restart().await;
    assert_eq!(Browser::new(&running.server, kept).get("/me/").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn people_are_created_listed_and_reset_on_the_command_line() {
    let running = Running::start().await;
    let server = &running.server;
    let create = ["person", "create", "acme", "Ana@acme.example", "--name", "Ana", "--role", "admin"];
    let password = running.command(&create).await.trim().to_owned();
    let ana = Browser::new(server, session_of(&sign_in(server, "ana@acme.example", &password).await));
    assert_eq!(ana.get("/acme/people/audit/").await.status(), StatusCode::OK);
    assert_eq!(running.command(&create).await, "", "a known person keeps the password");
    assert_eq!(running.command(&["person", "list", "acme"]).await, "ana@acme.example\tadmin\tAna\t-\n");
    let reset = running.command(&["person", "reset-password", "acme", "ana@acme.example"]).await.trim().to_owned();
    assert_eq!(ana.get("/me/").await.status(), StatusCode::SEE_OTHER, "all sessions end");
    assert_eq!(sign_in(server, "ana@acme.example", &password).await.status(), StatusCode::UNAUTHORIZED);
    let ana = Browser::new(server, session_of(&sign_in(server, "ana@acme.example", &reset).await));
    let log = text(&ana.page("/acme/people/audit/").await);
    assert!(log.contains("the command line reset the password of ana@acme.example the server"), "{log}");
    running.server.create_app("rival", "store").await.unwrap();
    assert_eq!(ana.get("/rival/people/").await.status(), StatusCode::NOT_FOUND);
    running.command(&["person", "create", "acme", "ana@acme.example", "--role", "admin", "--owner"]).await;
    assert_eq!(ana.get("/rival/people/").await.status(), StatusCode::OK, "an owner sees everything");
    for (arguments, message) in [
        (&["person", "list", "nobody"][..], "there is no organization \"nobody\""),
        (&["person", "reset-password", "acme", "bo@acme.example"], "`opbeat person list acme` prints all of them"),
        (&["person", "create", "acme", "bo"], "Enter an e-mail address"),
        (&["person", "create", "acme", "bo@x", "--role", "king"], "choose reader, member or admin"),
    ] {
        let output = running.output_of(arguments).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(message), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn long_lists_have_pages() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    let database = Database::of(&running).await;
    let organization = &running.app.organization_id;
    let rows = |row: &dyn Fn(usize) -> String| (100..300).map(row).collect::<Vec<_>>().join(", ");
    let people = rows(&|n| format!("('{n}', 'p{n}@acme.example', 'Person {n}', NULL, 0, 1, NULL)"));
    let memberships = rows(&|n| format!("('{organization}', '{n}', 'member', 1)"));
    let action = |n: usize| format!("{{\"action\":\"team_created\",\"team\":\"team {n}.\"}}");
    let entries = rows(&|n| format!("('{organization}', {n}, 'ana', '', '{}')", action(n)));
    database.run(&format!("INSERT INTO people VALUES {people}; INSERT INTO memberships VALUES {memberships}")).await;
    let columns = "organization_id, happened_at, actor, address, action";
    database.run(&format!("INSERT INTO audit_log ({columns}) VALUES {entries}")).await;
    let page = owner.page("/acme/people/").await;
    assert!(page.len() < 100_000, "{} bytes", page.len());
    assert!(text(&page).contains("1–50 of 200 members next"), "{}", text(&page));
    let last = text(&owner.page("/acme/people/?page=9").await);
    assert!(last.contains("151–200 of 200 members previous") && last.contains("Person 299"), "{last}");
    let mut path = "/acme/people/audit/".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = owner.page(&path).await;
        seen.extend(
            page.split("created the team team ").skip(1).map(|rest| rest.split('.').next().unwrap().to_owned()),
        );
        assert!(seen.len() % 50 == 0 && page.len() < 100_000);
        let Some((_, older)) = page.split_once("?before=") else { break };
        path = format!("/acme/people/audit/?before={}", older.split('"').next().unwrap());
    }
    let expected: Vec<String> = (100..300).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, expected, "each entry once, the newest first");
}

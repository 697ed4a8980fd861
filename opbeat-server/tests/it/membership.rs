//! Membership: admins who leave, owners, teams, the limits of lists, and what the command line changes.

use std::time::Instant;

use reqwest::StatusCode;

use crate::browser::{Browser, PASSWORD, join, member, sign_in};
use crate::database::Database;
use crate::pages::text;
use crate::running::{PATIENCE, Running, session_of};

#[tokio::test]
async fn the_invitations_of_an_admin_end_with_the_role() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    let ana = join(&owner, "acme", "ana", "admin").await;
    let visitor = Browser::new(&running.server, "");
    for (name, change) in [("bo", &[("action", "role"), ("role", "reader")][..]), ("cy", &[("action", "remove")])] {
        let admin = join(&owner, "acme", name, "admin").await;
        let back = admin.invite("acme", &format!("{name}@elsewhere.example"), "admin").await;
        let other = ana.invite("acme", "di@acme.example", "member").await;
        assert_eq!(visitor.get(&back).await.status(), StatusCode::OK);
        ana.change(&member(&ana, name).await, change).await;
        let accept = [("name", name), ("password", PASSWORD)];
        assert_eq!(visitor.post(&back, &accept).await.status(), StatusCode::NOT_FOUND, "{name} knows the link");
        assert_eq!(visitor.get(&other).await.status(), StatusCode::OK, "that of another admin stays");
        let log = text(&ana.page("/acme/people/audit/").await);
        assert!(log.contains(&format!("withdrew the invitation of {name}@elsewhere.example")), "{log}");
        let apps = text(&admin.page("/").await);
        assert_eq!(apps.contains("You belong to no organization."), name == "cy", "{apps}");
    }
}

#[tokio::test]
async fn the_command_line_keeps_roles_and_the_last_admin() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    let ana = join(&owner, "acme", "ana", "admin").await;
    let create = ["person", "create", "acme", "ana@acme.example"];
    assert_eq!(running.command(&create).await, "");
    assert!(text(&owner.page("/acme/people/").await).contains("ana ana@acme.example admin"), "without --role");
    let output = running.output_of(&[&create[..], &["--role", "reader"]].concat()).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("This is the last admin of the organization."), "{error}");

    running.server.create_app("rival", "store").await.unwrap();
    running.command(&[&create[..], &["--owner"]].concat()).await;
    assert_eq!(ana.get("/rival/people/").await.status(), StatusCode::OK);
    running.command(&["person", "remove-owner", "ana@acme.example"]).await;
    assert_eq!(ana.get("/rival/people/").await.status(), StatusCode::NOT_FOUND);
    let log = text(&ana.page("/acme/people/audit/").await);
    for entry in
        ["made ana@acme.example an owner of the server", "took the ownership of the server from ana@acme.example"]
    {
        assert!(log.contains(&format!("the command line {entry}")), "{log}");
    }
    let output = running.output_of(&["person", "remove-owner", "nobody@acme.example"]).await;
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().contains("no person has this"));
}

#[tokio::test]
async fn a_page_says_that_an_owner_stays_one() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "admin").await;
    let bo = join(&owner, "acme", "bo", "member").await;
    running.command(&["person", "create", "acme", "bo@acme.example", "--owner"]).await;
    assert!(text(&owner.page("/acme/people/").await).contains("bo bo@acme.example member owner"));
    let page = member(&owner, "bo").await;
    let shown = text(&owner.page(&page).await);
    assert!(shown.contains("still see everything as an owner of the server"), "{shown}");
    owner.change(&page, &[("action", "remove")]).await;
    assert_eq!(bo.get("/acme/people/").await.status(), StatusCode::OK);
    // No page lists an owner without organizations. The command line reaches every owner.
    let reset = running.command(&["person", "reset-password", "acme", "bo@acme.example"]).await;
    assert_eq!(bo.get("/me/").await.status(), StatusCode::SEE_OTHER);
    let signed_in = sign_in(&running.server, "bo@acme.example", reset.trim()).await;
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
    let _stranger = join(&owner, "acme", "cy", "member").await;
    running.server.create_app("rival", "store").await.unwrap();
    let output = running.output_of(&["person", "reset-password", "rival", "cy@acme.example"]).await;
    assert!(!output.status.success(), "a member of another organization");
}

#[tokio::test]
async fn a_member_of_the_command_line_is_like_one_who_joined() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "ana", "admin").await;
    let ana = member(&owner, "ana").await;
    owner.change(&ana, &[("action", "add-alias"), ("alias", "bo@acme.example")]).await;
    let invitation = owner.invite("acme", "bo@acme.example", "admin").await;
    running.command(&["person", "create", "acme", "bo@acme.example", "--name", "bo"]).await;
    let visitor = Browser::new(&running.server, "");
    assert_eq!(visitor.get(&invitation).await.status(), StatusCode::NOT_FOUND, "bo needs it no more");
    let people = text(&owner.page("/acme/people/").await);
    assert!(people.contains("ana ana@acme.example admin bo bo@acme.example member"), "{people}");
    assert!(!people.contains("Invitations"), "{people}");
}

#[tokio::test]
async fn an_app_leaves_its_own_team_only() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    for name in ["backend", "frontend"] {
        owner.change("/acme/people/", &[("action", "create-team"), ("team", name)]).await;
    }
    let page = owner.page("/acme/people/").await;
    let team = |name: &str| {
        let link = page.split(&format!("\">{name}</a>")).next().unwrap();
        link.rsplit_once("href=\"").unwrap().1.to_owned()
    };
    let (backend, frontend) = (team("backend"), team("frontend"));
    for team in [&backend, &frontend] {
        owner.change(team, &[("action", "add-app"), ("app", "shop")]).await;
    }
    // An outdated page of the first team.
    owner.change(&backend, &[("action", "remove-app"), ("app", "shop")]).await;
    assert!(text(&owner.page(&backend).await).contains("The team is responsible for no app yet."));
    assert!(text(&owner.page(&frontend).await).contains("Apps shop Remove shop"));
    owner.change(&frontend, &[("action", "remove-app"), ("app", "shop")]).await;
    assert!(text(&owner.page(&frontend).await).contains("The team is responsible for no app yet."));
}

#[tokio::test]
async fn full_lists_are_small_pages_that_say_so() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    let (database, organization) = (Database::of(&running).await, &running.app.organization_id);
    let rows = |count: usize, row: &dyn Fn(usize) -> String| (0..count).map(row).collect::<Vec<_>>().join(", ");
    let long = "a".repeat(40);
    let invitations = rows(100, &|n| {
        let hash = if running.database.is_some() { format!("'\\x{n:064x}'") } else { format!("x'{n:064x}'") };
        format!(
            "({hash}, '{organization}', '{long}{n}@acme.example', 'member', 'Ana ({long}@acme.example)', 1, {})",
            i64::MAX
        )
    });
    database.run(&format!("INSERT INTO invitations VALUES {invitations}")).await;
    let teams = rows(100, &|n| format!("({}, '{organization}', '{long}{n}')", n + 1));
    database.run(&format!("INSERT INTO teams VALUES {teams}")).await;
    let people = rows(200, &|n| format!("('{n}', '{long}{n}@acme.example', '{long}{n}', NULL, 0, 1, NULL)"));
    let memberships = rows(200, &|n| format!("('{organization}', '{n}', 'member', 1)"));
    let of_team = rows(200, &|n| format!("(1, '{n}')"));
    database.run(&format!("INSERT INTO people VALUES {people}; INSERT INTO memberships VALUES {memberships}")).await;
    database.run(&format!("INSERT INTO team_members VALUES {of_team}")).await;
    for path in ["/acme/people/", "/acme/people/teams/1/"] {
        let page = owner.page(path).await;
        assert!(page.len() < 100_000, "{path}: {} bytes", page.len());
    }
    for (path, fields, reason) in [
        (
            "/acme/people/",
            &[("action", "invite"), ("email", "x@x"), ("role", "reader")][..],
            "There are 100 invitations",
        ),
        ("/acme/people/", &[("action", "invite"), ("email", "x@x"), ("role", "king")], "Choose one of the roles"),
        (
            "/acme/people/",
            &[("action", "invite"), ("email", "x y"), ("role", "reader")],
            "This is not an e-mail address.",
        ),
        ("/acme/people/", &[("action", "create-team"), ("team", "x")], "An organization has at most 100 teams."),
    ] {
        let refused = owner.refused(path, fields, StatusCode::BAD_REQUEST).await;
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
    owner.change("/acme/people/", &[("action", "withdraw"), ("email", &format!("{long}7@acme.example"))]).await;
    owner.invite("acme", "x@x", "reader").await;
    let action = "{\"action\":\"invited\",\"person\":\"x@x\",\"role\":\"king\"}";
    let columns = "organization_id, happened_at, actor, address, action";
    database
        .run(&format!("INSERT INTO audit_log ({columns}) VALUES ('{organization}', 1, 'ana', '', '{action}')"))
        .await;
    let log = text(&owner.page("/acme/people/audit/").await);
    assert!(log.contains("ana made a change that this version of the server does not know"), "{log}");
}

#[tokio::test]
async fn only_wrong_passwords_count_as_attempts() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    let bo = join(&owner, "acme", "bo", "member").await;
    let change = |current, new| [("action", "password"), ("current", current), ("new", new)];
    for _ in 0..11 {
        let refused = bo.refused("/me/", &change(PASSWORD, "short"), StatusCode::BAD_REQUEST).await;
        assert!(refused.contains("The password is too short"), "{refused}");
    }
    let attempt = async |number: u8, current| {
        let form = bo.form("/me/", &change(current, "a new password"));
        form.header("x-forwarded-for", format!("10.0.0.{number}")).send().await.unwrap()
    };
    for number in 0..10 {
        assert_eq!(attempt(number, "a wrong password").await.status(), StatusCode::BAD_REQUEST);
    }
    let blocked = attempt(10, PASSWORD).await;
    assert_eq!(blocked.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(text(&blocked.text().await.unwrap()).contains("Too many attempts failed."));
    assert_eq!(sign_in(&running.server, "bo@acme.example", PASSWORD).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let deadline = Instant::now() + PATIENCE;
    while !text(&owner.page("/acme/people/audit/").await).contains("failed too often to sign in as bo@acme.example") {
        assert!(Instant::now() < deadline, "no entry");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_invitation_of_a_known_person_takes_no_password() {
    let running = Running::start().await;
    let owner = Browser::new(&running.server, &running.cookie);
    join(&owner, "acme", "bo", "member").await;
    running.server.create_app("rival", "store").await.unwrap();
    let invitation = owner.invite("rival", "bo@acme.example", "member").await;
    let eve = join(&owner, "acme", "eve", "member").await;
    let accept = [("name", "Eve"), ("password", PASSWORD)];
    let shown = eve.refused(&invitation, &accept, StatusCode::OK).await;
    assert!(shown.contains("There is an account with this address."), "{shown}");
    assert!(!text(&eve.page("/me/").await).contains("rival"));
    let long = "p".repeat(200);
    running.server.create_app("third", "store").await.unwrap();
    let new = owner.invite("third", "di@acme.example", "member").await;
    let page = Browser::new(&running.server, "").page(&new).await;
    let field = page.split("<input").find(|input| input.contains("type=\"password\"")).unwrap();
    assert!(!field.contains("maxlength"), "a browser would cut a password off: {field}");
    let joined = Browser::new(&running.server, "").post(&new, &[("name", "Di"), ("password", &long)]).await;
    session_of(&joined);
    assert_eq!(sign_in(&running.server, "di@acme.example", &long).await.status(), StatusCode::SEE_OTHER);
}

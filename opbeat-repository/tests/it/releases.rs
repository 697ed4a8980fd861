//! The commits of releases, against `git log`.

use std::time::Duration;

use opbeat_repository::{Error, People, Person, ReferenceKind};

use crate::support::{Random, Repo, START, budget};

#[test]
fn commits_and_lines_are_as_in_git_log() {
    let mut random = Random(7);
    let repo = Repo::new();
    repo.write("a.rs", (0..60).map(|n| format!("let a_{n} = {n};\n")).collect::<String>());
    repo.write("b.rs", (0..60).map(|n| format!("let b_{n} = {n};\n")).collect::<String>());
    repo.write("data.bin", [0, 1, 2, 3]);
    repo.commit("Ana", "first");
    repo.git(&["tag", "--annotate", "--message", "one", "v1.0"]);
    for step in 0..20 {
        let path = if step % 2 == 0 { "a.rs" } else { "b.rs" };
        let mut lines: Vec<String> = repo.read(path).lines().map(str::to_owned).collect();
        let at = random.below(lines.len());
        lines[at] = format!("changed {step}");
        lines.truncate(60 - step);
        lines.extend((0..step % 3).map(|n| format!("added {step} {n}")));
        repo.write(path, lines.join("\n") + "\n");
        if step == 8 {
            repo.git(&["checkout", "--quiet", "-b", "side"]);
        }
        repo.commit(["Ana", "Bo"][step % 2], &format!("step {step}"));
        if step == 12 {
            repo.git(&["checkout", "--quiet", "main"]);
            repo.write("c.rs", "one\n");
            repo.commit("Cleo", "on main");
            repo.merge("Ana", "side");
        }
    }
    repo.rename("b.rs", "folder/b.rs");
    repo.write("data.bin", [0, 5, 2, 3]);
    repo.commit("Dan", "renamed");
    let head = repo.head();
    let release = repo.open().commits(Some("v1.0"), &head[..9], &People::new(), &budget()).expect("commits");

    let log = repo.git(&["log", "-M", "--format=commit %H %an %at", "--numstat", "v1.0..HEAD"]);
    let mut expected: Vec<(String, String, i64, u64, u64)> = Vec::new();
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix("commit ") {
            let parts: Vec<&str> = rest.split(' ').collect();
            expected.push((parts[0].into(), parts[1].into(), parts[2].parse().expect("a time"), 0, 0));
        } else if let [added, removed, _] = line.split('\t').collect::<Vec<_>>()[..] {
            let last = expected.last_mut().expect("a commit");
            last.3 += added.parse::<u64>().unwrap_or(0);
            last.4 += removed.parse::<u64>().unwrap_or(0);
        }
    }
    let ours: Vec<(String, String, i64, u64, u64)> = release
        .commits
        .iter()
        .map(|commit| {
            let lines = commit.lines.unwrap_or_default();
            (commit.hash.clone(), commit.author.name.clone(), commit.time, lines.0, lines.1)
        })
        .collect();
    assert_eq!(ours, expected);
    assert_eq!((release.count, release.complete, release.left_out), (expected.len(), true, 0));
    let sums = expected.iter().fold((0, 0), |sum, commit| (sum.0 + commit.3, sum.1 + commit.4));
    assert_eq!(release.lines(), sums);

    let back = repo.open().commits(Some(&head), "v1.0", &People::new(), &budget()).expect("commits");
    assert_eq!((back.commits.len(), back.left_out), (0, expected.len()));
    let first = repo.open().commits(None, "v1.0", &People::new(), &budget()).expect("commits");
    assert_eq!((first.count, first.complete), (1, true));
}

#[test]
fn clocks_that_go_back_do_not_add_commits() {
    let repo = Repo::new();
    let mut hashes = Vec::new();
    repo.fast_import(|input| {
        for number in 1..=200_i64 {
            // Every seventh clock is a day late.
            let time = START + number * 60 - if number % 7 == 0 { 86_400 } else { 0 };
            let from = if number > 1 { format!("from :{}\n", number - 1) } else { String::new() };
            write!(
                input,
                "commit refs/heads/main\nmark :{number}\ncommitter Ana <ana@example.org> {time} +0000\ndata 1\nx{from}\n"
            )
            .expect("git reads");
        }
    });
    hashes.extend(repo.git(&["rev-list", "main"]).lines().map(str::to_owned));
    for (from, to) in [(10, 0), (100, 3), (199, 0), (50, 49)] {
        let release =
            repo.open().commits(Some(&hashes[from]), &hashes[to], &People::new(), &budget()).expect("commits");
        assert_eq!((release.count, release.left_out), (from - to, 0), "{from}..{to}");
    }
}

#[test]
fn people_are_found_by_mailmap_and_aliases() {
    let repo = Repo::new();
    repo.write(".mailmap", "Bo B <bo@new.example> <bo@example.org>\n");
    repo.commit("Bo", "first");
    repo.commit("Ana", "second");
    let ana = Person::new("Ana A", "ana@work.example");
    let bo = Person::new("Bo at work", "bo@work.example");
    let people = People::new().with(&ana, ["ANA@example.org"]).with(&bo, ["bo@new.example"]);
    let release = repo.open().commits(None, "main", &people, &budget()).expect("commits");
    let authors: Vec<&Person> = release.commits.iter().map(|commit| &commit.author).collect();
    assert_eq!(authors, [&ana, &bo]);
}

#[test]
fn the_time_to_release_is_the_median_age() {
    let repo = Repo::new();
    for step in 0..4 {
        repo.commit("Ana", &format!("step {step}"));
    }
    let release = repo.open().commits(None, "main", &People::new(), &budget()).expect("commits");
    let deployed = START + 4 * 3600 + 600;
    assert_eq!(release.time_to_release(deployed), Some(Duration::from_secs(600 + 3600 + 1800)));
    assert_eq!(release.time_to_release(START), Some(Duration::ZERO), "commits from the future");
}

#[test]
fn issues_and_pull_requests_are_found_in_messages() {
    use ReferenceKind::{Issue, IssueOrPullRequest, PullRequest, Ticket};
    let cases: [(&str, &[(ReferenceKind, &str)]); 9] = [
        ("Split orders (#12)", &[(PullRequest, "#12")]),
        ("Merge pull request #7 from ana/prices", &[(PullRequest, "#7")]),
        ("Prices\n\nFixes #3, closes octo/shop#4.", &[(Issue, "#3"), (Issue, "octo/shop#4")]),
        ("See #5 and GH-6", &[(IssueOrPullRequest, "#5"), (IssueOrPullRequest, "GH-6")]),
        ("SHOP-42: prices in UTF-8 as in RFC-2822", &[(Ticket, "SHOP-42")]),
        ("See merge request shop/shop!9 and !10", &[(PullRequest, "!10")]),
        ("https://github.com/octo/shop/pull/8", &[(PullRequest, "https://github.com/octo/shop/pull/8")]),
        ("https://gitlab.com/a/b/c/-/issues/11#note", &[(Issue, "https://gitlab.com/a/b/c/-/issues/11#note")]),
        ("Colour #fff000, C#7 sharp, #0, #12345678901234567890, v1-2", &[]),
    ];
    let repo = Repo::new();
    for (message, expected) in cases {
        // `#` starts a comment only in an editor.
        repo.commit("Ana", message);
        let release = repo.open().commits(None, &repo.head(), &People::new(), &budget()).expect("commits");
        let found: Vec<_> =
            release.commits[0].references.iter().map(|found| (found.kind, found.text.as_str())).collect();
        assert_eq!(found, expected, "{message}");
    }
}

#[test]
fn revisions_are_hashes_tags_and_branches() {
    let repo = Repo::new();
    let first = repo.commit("Ana", "first");
    repo.git(&["tag", "v1"]);
    let second = repo.commit("Ana", "second");
    repo.git(&["branch", "feature/a-b"]);
    let repository = repo.open();
    for (name, hash) in
        [(first.as_str(), &first), (&first[..8], &first), ("v1", &first), ("main", &second), ("feature/a-b", &second)]
    {
        assert_eq!(&repository.resolve(name).expect("a commit"), hash, "{name}");
    }
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let long = "a".repeat(10_000);
    for name in
        ["", "v2", "HEAD~1", ":/first", "main@{1}", "../../etc/passwd", "-x", "deadbeef", "v1\n", &long, tree.trim()]
    {
        let error = repository.resolve(name).expect_err("no commit");
        assert!(matches!(error, Error::UnknownRevision { .. }), "{name:?}: {error}");
        assert!(error.to_string().len() < 400);
    }
}

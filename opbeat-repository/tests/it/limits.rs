//! Large, damaged and hostile repositories.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opbeat_repository::{BlameMode, Blamed, Budget, Error, Frame, Limits, Outcome, People, Reason, Repository};

use crate::support::{Repo, START, budget};

const COMMITS: usize = 100_000;

/// One file that is never changed again, and another one that all commits change.
fn long_history() -> Repo {
    let repo = Repo::new();
    repo.fast_import(|input| {
        for number in 1..=COMMITS {
            let time = START + i64::try_from(number).expect("small");
            let author = if number == 1 { "Ana" } else { "Bo" };
            write!(
                input,
                "commit refs/heads/main\nmark :{number}\ncommitter {author} <{author}@example.org> {time} +0000\ndata 1\nx\n"
            )
            .expect("git reads");
            if number == 1 {
                let code = "fn total() {\n    sum();\n}\n";
                writeln!(input, "M 644 inline src/shop/total.rs\ndata {}\n{code}", code.len()).expect("git reads");
            } else {
                writeln!(input, "from :{}", number - 1).expect("git reads");
            }
            let text = format!("{number}\n");
            writeln!(input, "M 644 inline log/counter.txt\ndata {}\n{text}", text.len()).expect("git reads");
        }
    });
    repo
}

#[test]
fn a_hundred_thousand_commits_keep_their_budget() {
    let repo = long_history();
    let repository = repo.open();
    let blame = |repository: &Repository, budget: &Budget| {
        repository.blame("main", "src/shop/total.rs", 2, BlameMode::LastChange, budget)
    };

    let short = Duration::from_millis(50);
    let started = Instant::now();
    assert!(matches!(blame(&repository, &Budget::new(short)), Err(Error::TimedOut { after }) if after == short));
    println!("a budget of 50 ms ended after {} ms", started.elapsed().as_millis());
    assert!(started.elapsed() < Duration::from_secs(30));

    let flag = Arc::new(AtomicBool::new(false));
    let interrupted = budget().interrupted_by(Arc::clone(&flag));
    std::thread::scope(|scope| {
        let work = scope.spawn(|| blame(&repository, &interrupted));
        flag.store(true, Ordering::Relaxed);
        assert!(matches!(work.join().expect("no panic"), Err(Error::Interrupted)));
    });

    let started = Instant::now();
    let long = Budget::new(Duration::from_secs(1_000));
    let Blamed::Changed(found) = blame(&repository, &long).expect("a blame") else { panic!("no author") };
    let first = started.elapsed();
    println!("one blame through {COMMITS} commits took {} ms", started.elapsed().as_millis());
    assert_eq!(found.author.name, "Ana");

    let started = Instant::now();
    assert!(matches!(blame(&repository, &budget()), Ok(Blamed::Changed(again)) if again == found));
    println!("again, from memory: {} us", started.elapsed().as_micros());
    assert!(started.elapsed() < first / 10);

    let mut limits = Limits::default();
    limits.visited_commits = 1000;
    let limited = Repository::open_with(repo.path(), limits).expect("a repository");
    let reason = Reason::TooDeep { commits: 1000 };
    assert_eq!(blame(&limited, &budget()).expect("a blame"), Blamed::Unclear(reason));
    let first = repo.git(&["rev-list", "--max-parents=0", "main"]);
    let error = limited.commits(Some(first.trim()), "main", &People::new(), &budget()).expect_err("too many");
    assert!(matches!(error, Error::TooManyCommits { limit: 1000 }), "{error}");

    let started = Instant::now();
    let release = repository.commits(None, "main", &People::new(), &budget()).expect("commits");
    println!("the newest {} commits took {} ms", release.commits.len(), started.elapsed().as_millis());
    assert_eq!((release.commits.len(), release.complete), (500, false));
}

#[test]
fn large_and_binary_files_are_reasons() {
    let repo = Repo::new();
    repo.write("huge.rs", "let line = 1;\n".repeat(200_000));
    repo.write("image.rs", b"\0\x01\x02\nline\n");
    repo.write("long.rs", "x".repeat(900_000));
    repo.commit("Ana", "first");
    let repository = repo.open();
    let blame = |path: &str| repository.blame("main", path, 1, BlameMode::LastChange, &budget()).expect("a blame");
    assert_eq!(blame("huge.rs"), Blamed::Unclear(Reason::FileTooLarge));
    assert_eq!(blame("image.rs"), Blamed::Unclear(Reason::Binary));
    assert!(matches!(blame("long.rs"), Blamed::Changed(_)));
    assert_eq!(blame("none.rs"), Blamed::Unclear(Reason::NotInTree));
    assert_eq!(blame(".."), Blamed::Unclear(Reason::NotInTree));
    assert_eq!(blame(""), Blamed::Unclear(Reason::NotInTree));
}

#[test]
fn deep_and_wide_trees_are_reasons() {
    let repo = Repo::new();
    repo.fast_import(|input| {
        let deep = "d/".repeat(600) + "a.rs";
        write!(input, "commit refs/heads/deep\ncommitter Ana <ana@example.org> {START} +0000\ndata 1\nx\n")
            .expect("git reads");
        write!(input, "M 644 inline {deep}\ndata 2\nx\n\n").expect("git reads");
        write!(input, "commit refs/heads/wide\ncommitter Ana <ana@example.org> {START} +0000\ndata 1\nx\n")
            .expect("git reads");
        for number in 0..2_000 {
            write!(input, "M 644 inline {}/{number}.rs\ndata 2\nx\n\n", number % 7).expect("git reads");
        }
    });
    let mut limits = Limits::default();
    limits.tree_files = 1_000;
    let repository = Repository::open_with(repo.path(), limits).expect("a repository");
    for revision in ["deep", "wide"] {
        let frames = [Frame { path: "a.rs".into(), line: 1, in_app: true, source: None }];
        let outcome = repository.assign(revision, &frames, &People::new(), &budget()).expect("an outcome");
        let Outcome::Unassigned(none) = outcome else { panic!("{outcome:?}") };
        assert_eq!(none.reason, Reason::TreeTooLarge, "{revision}");
    }
}

#[test]
fn the_search_for_reformatted_lines_ends_with_the_budget() {
    let repo = Repo::new();
    // Each part of the new text begins like each line of the old one.
    repo.write("a.rs", "aaaaaaaa\n".repeat(1_000));
    repo.commit("Ana", "first");
    repo.write("a.rs", "aaaaaaaa aaaaaaaa aaaaaaaa b\n".repeat(1_000));
    repo.commit("Bo", "second");
    let repository = repo.open();
    let started = Instant::now();
    let time = Duration::from_millis(100);
    let blamed = repository.blame("main", "a.rs", 500, BlameMode::LastChange, &Budget::new(time));
    println!("a budget of 100 ms ended after {} ms", started.elapsed().as_millis());
    assert!(matches!(blamed, Err(Error::TimedOut { after }) if after == time), "{blamed:?}");
    assert!(started.elapsed() < Duration::from_secs(20));

    let frames = [499, 500].map(|line| Frame { path: "a.rs".into(), line, in_app: true, source: None });
    let outcome = repository.assign("main", &frames, &People::new(), &Budget::new(time)).expect("an outcome");
    let Outcome::Unassigned(none) = outcome else { panic!("{outcome:?}") };
    assert_eq!(none.reason, Reason::Budget { milliseconds: 100 });
    assert!(none.sentence().ends_with("was not found within 100 ms"), "{}", none.sentence());
    let interrupted = Budget::new(time).interrupted_by(Arc::new(AtomicBool::new(true)));
    let error = repository.assign("main", &frames, &People::new(), &interrupted).expect_err("interrupted");
    assert!(matches!(error, Error::Interrupted), "{error}");
}

#[test]
fn many_files_of_one_name_end_with_the_budget() {
    let repo = Repo::new();
    repo.fast_import(|input| {
        write!(input, "commit refs/heads/main\ncommitter Ana <ana@example.org> {START} +0000\ndata 1\nx\n")
            .expect("git reads");
        for number in 0..3_000 {
            write!(input, "M 644 inline {number}/__init__.py\ndata 2\nx\n\n").expect("git reads");
        }
    });
    let repository = repo.open();
    let path = (0..256).map(|part| format!("p{part}")).collect::<Vec<_>>().join(".");
    let frames: Vec<Frame> =
        (0..100).map(|_| Frame { path: path.clone(), line: 1, in_app: true, source: None }).collect();
    let started = Instant::now();
    let time = Duration::from_millis(100);
    let outcome = repository.assign("main", &frames, &People::new(), &Budget::new(time)).expect("an outcome");
    assert!(matches!(outcome, Outcome::Unassigned(none) if none.reason == Reason::Budget { milliseconds: 100 }));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn large_objects_are_known_by_their_headers_and_not_read() {
    let repo = Repo::new();
    let message = "x".repeat(5 * 1024 * 1024);
    repo.fast_import(|input| {
        for (branch, message) in [("main", "x"), ("long", message.as_str())] {
            write!(
                input,
                "commit refs/heads/{branch}\ncommitter Ana <ana@example.org> {START} +0000\ndata {}\n{message}\n",
                message.len()
            )
            .expect("git reads");
            write!(input, "M 644 inline src/a.rs\ndata 2\nx\n\n").expect("git reads");
            for number in 0..500 {
                write!(input, "M 644 inline wide/{number}.rs\ndata 2\nx\n\n").expect("git reads");
            }
        }
    });
    let mut limits = Limits::default();
    limits.tree_bytes = 10_000;
    let repository = Repository::open_with(repo.path(), limits).expect("a repository");
    let blame = |revision: &str, path: &str| repository.blame(revision, path, 1, BlameMode::LastChange, &budget());
    let error = blame("main", "wide/7.rs").expect_err("too large");
    assert!(matches!(&error, Error::ObjectTooLarge { kind, limit: 10_000, .. } if kind == "tree"), "{error}");
    let error = blame("long", "src/a.rs").expect_err("too large");
    assert!(matches!(&error, Error::ObjectTooLarge { kind, size: 5_242_880.., .. } if kind == "commit"), "{error}");
    let frames = [Frame { path: "src/a.rs".into(), line: 1, in_app: true, source: None }];
    let assign = |revision: &str| match repository.assign(revision, &frames, &People::new(), &budget()) {
        Ok(Outcome::Unassigned(none)) => none.reason,
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!((assign("main"), assign("long")), (Reason::TreeTooLarge, Reason::HistoryTooLarge));
    let release = repository.commits(None, "main", &People::new(), &budget()).expect("commits");
    assert_eq!(release.commits[0].lines, None);
    // A blob is no revision, and is not read to know it.
    let blob = repo.git(&["rev-parse", "main:src/a.rs"]);
    assert!(matches!(repository.resolve(blob.trim()), Err(Error::UnknownRevision { .. })));
}

#[test]
fn renames_are_searched_within_a_number_of_bytes() {
    let repo = Repo::new();
    let text = |name: &str| (0..200).map(|line| format!("let {name}_{line} = {line};\n")).collect::<String>();
    for name in ["a", "b", "c"] {
        repo.write(&format!("{name}.rs"), text(name));
    }
    repo.commit("Ana", "first");
    for name in ["a", "b", "c"] {
        repo.rename(&format!("{name}.rs"), &format!("new/{name}_moved.rs"));
        repo.replace(&format!("new/{name}_moved.rs"), &format!("let {name}_7 = 7;"), "changed();");
    }
    repo.commit("Bo", "renamed");
    let lines = |rename_bytes: u64| {
        let mut limits = Limits::default();
        limits.rename_bytes = rename_bytes;
        let repository = Repository::open_with(repo.path(), limits).expect("a repository");
        let release = repository.commits(None, "main", &People::new(), &budget()).expect("commits");
        release.commits[0].lines
    };
    assert_eq!((lines(1_000_000), lines(1_000)), (Some((3, 3)), Some((600, 600))));
}

#[test]
fn odd_repositories_are_read() {
    let repo = Repo::new();
    let repository = repo.open();
    let error = repository.commits(None, "main", &People::new(), &budget()).expect_err("an empty repository");
    assert!(matches!(error, Error::UnknownRevision { .. }), "{error}");

    repo.write("real.rs", "one\ntwo\n");
    let first = repo.commit("Ana", "first");
    std::os::unix::fs::symlink("real.rs", repo.path().join("link.rs")).expect("a link");
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},module")]);
    let second = repo.commit("Bo", "a link and a submodule");
    repo.git(&["checkout", "--quiet", "--detach", &second]);
    repo.git(&["branch", "--quiet", "--delete", "--force", "main"]);
    // The file becomes a link, and the link a file.
    repo.rename("real.rs", "other.rs");
    std::os::unix::fs::symlink("other.rs", repo.path().join("real.rs")).expect("a link");
    let third = repo.commit("Cleo", "turned");
    let repository = repo.open();
    let blame = |path: &str| repository.blame(&third, path, 1, BlameMode::LastChange, &budget()).expect("a blame");
    assert!(matches!(blame("other.rs"), Blamed::Changed(found) if found.author.name == "Ana"));
    for path in ["real.rs", "link.rs", "module", "module/a.rs", "other.rs/a.rs", "/other.rs", "./other.rs"] {
        assert_eq!(blame(path), Blamed::Unclear(Reason::NotInTree), "{path}");
    }
    let release = repository.commits(Some(&first), &third, &People::new(), &budget()).expect("commits");
    assert_eq!(release.commits.iter().map(|commit| commit.lines).collect::<Vec<_>>(), [Some((0, 0)), Some((0, 0))]);
}

#[test]
fn repositories_with_other_hashes_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other");
    let git = std::process::Command::new("git")
        .args(["init", "--quiet", "--object-format=sha256"])
        .arg(&path)
        .output()
        .expect("git runs");
    assert!(git.status.success(), "{}", String::from_utf8_lossy(&git.stderr));
    let error = Repository::open(&path).expect_err("SHA-256");
    assert!(error.to_string().contains("SHA-256"), "{error}");
}

#[test]
fn folders_without_a_repository_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().to_owned(), folder.path().join("none"), "/etc/passwd".into()] {
        let error = Repository::open(&path).expect_err("no repository");
        assert!(matches!(error, Error::NotARepository { .. }), "{error}");
    }
}

#[test]
fn damaged_objects_are_errors() {
    let repo = Repo::new();
    for step in 0..5 {
        repo.write("a.rs", format!("one {step}\ntwo\n"));
        repo.commit("Ana", "step");
    }
    let objects = repo.path().join(".git/objects");
    let mut damaged = 0;
    // Every object is once missing, once cut, and once something else.
    for folder in fs::read_dir(&objects).expect("objects").flatten().filter(|folder| folder.file_name().len() == 2) {
        for object in fs::read_dir(folder.path()).expect("a folder").flatten() {
            let path = object.path();
            let content = fs::read(&path).expect("an object");
            fs::remove_file(&path).expect("a file");
            for replacement in [None, Some(&content[..content.len() / 2]), Some(b"no object".as_slice()), Some(b"")] {
                if let Some(replacement) = replacement {
                    fs::write(&path, replacement).expect("a file");
                }
                let repository = repo.open();
                let head = repository.resolve("main").and_then(|head| {
                    repository.commits(None, &head, &People::new(), &budget())?;
                    repository.blame(&head, "a.rs", 2, BlameMode::LastChange, &budget())
                });
                match head {
                    Err(Error::Damaged { .. } | Error::UnknownRevision { .. }) => damaged += 1,
                    Err(error) => panic!("{error}"),
                    Ok(found) => panic!("found {found:?} without {}", path.display()),
                }
                if replacement.is_some() {
                    fs::remove_file(&path).expect("a file");
                }
            }
            fs::write(&path, content).expect("a file");
        }
    }
    assert!(damaged >= 60, "{damaged}");
}

#[test]
fn the_configuration_of_a_repository_runs_nothing() {
    let repo = Repo::new();
    repo.write("a.rs", "one\n");
    repo.write(".gitattributes", "*.rs diff=evil filter=evil\n");
    repo.commit("Ana", "first");
    repo.write("a.rs", "two\n");
    repo.commit("Bo", "second");
    let marker = repo.path().join("ran");
    let touch = format!("touch {}", marker.display());
    for key in [
        "core.fsmonitor",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.smudge",
        "core.sshCommand",
        "diff.external",
    ] {
        repo.git(&["config", key, &touch]);
    }
    repo.git(&["config", "include.path", "/dev/stdin"]);
    let _ = fs::remove_file(&marker);
    let repository = repo.open();
    let blamed = repository.blame("main", "a.rs", 1, BlameMode::LastChange, &budget()).expect("a blame");
    assert!(matches!(blamed, Blamed::Changed(_)));
    repository.commits(None, "main", &People::new(), &budget()).expect("commits");
    assert!(!marker.exists());
}

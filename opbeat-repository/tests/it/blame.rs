//! Blames of whole files, line by line, against `git blame --porcelain`.

use opbeat_repository::{BlameMode, Blamed, Reason, Repository};

use crate::support::{Random, Repo, budget};

#[derive(Debug, PartialEq, Eq)]
struct Line {
    commit: String,
    author: String,
    mail: String,
    path: String,
    line: u32,
}

/// Reads `git blame --line-porcelain`.
fn with_git(repo: &Repo, path: &str, options: &[&str]) -> Vec<Line> {
    let mut arguments = vec!["blame", "--line-porcelain"];
    arguments.extend_from_slice(options);
    arguments.extend_from_slice(&["HEAD", "--", path]);
    let output = repo.git(&arguments);
    let mut lines = Vec::new();
    let mut current: Option<Line> = None;
    for text in output.lines() {
        if text.starts_with('\t') {
            lines.extend(current.take());
        } else if let Some(line) = &mut current {
            match text.split_once(' ') {
                Some(("author", name)) => name.clone_into(&mut line.author),
                Some(("author-mail", mail)) => mail.trim_matches(['<', '>']).clone_into(&mut line.mail),
                Some(("filename", path)) => path.clone_into(&mut line.path),
                _ => {}
            }
        } else {
            let mut parts = text.split(' ');
            let commit = parts.next().expect("a hash").to_owned();
            let line = parts.next().expect("a line").parse().expect("a number");
            let empty = String::new;
            current = Some(Line { commit, author: empty(), mail: empty(), path: empty(), line });
        }
    }
    lines
}

fn with_us(repository: &Repository, path: &str, count: usize, mode: BlameMode) -> Vec<Line> {
    let lines = 1..=u32::try_from(count).expect("a short file");
    lines
        .map(|line| match repository.blame("HEAD_TAG", path, line, mode, &budget()).expect("a blame") {
            Blamed::Changed(blame) => Line {
                commit: blame.commit,
                author: blame.author.name,
                mail: blame.author.mail,
                path: blame.path,
                line: blame.line,
            },
            other => panic!("{path}:{line}: {other:?}"),
        })
        .collect()
}

fn assert_same(repo: &Repo, path: &str, options: &[&str], mode: BlameMode) -> usize {
    repo.git(&["tag", "--force", "HEAD_TAG"]);
    let theirs = with_git(repo, path, options);
    assert!(!theirs.is_empty(), "git blames {path}");
    let ours = with_us(&repo.open(), path, theirs.len(), mode);
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "{path}:{}", number + 1);
    }
    theirs.len()
}

fn numbered(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("    let value_{number} = compute({number});\n")).collect()
}

#[test]
fn edits_renames_merges_and_mailmap_are_as_in_git() {
    let repo = Repo::new();
    repo.write("src/orders.rs", numbered(0..40));
    repo.write("src/other.rs", numbered(100..120));
    repo.commit("Ana", "first");
    repo.replace("src/orders.rs", "compute(7)", "compute(70)");
    repo.commit("Bo", "seven");
    repo.rename("src/orders.rs", "src/shop/orders.rs");
    repo.commit("Cleo", "a folder");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.replace("src/shop/orders.rs", "compute(20)", "compute(200)");
    repo.commit("Dan", "twenty on a branch");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.replace("src/shop/orders.rs", "compute(30)", "compute(300)");
    repo.commit("Eva", "thirty on main");
    repo.merge("Fay", "side");
    repo.rename("src/shop/orders.rs", "src/sales.rs");
    repo.replace("src/sales.rs", "compute(0)", "compute(1000)");
    repo.commit("Gus", "renamed and edited");
    repo.write("src/sales.rs", format!("{}{}", repo.read("src/sales.rs"), numbered(50..55)));
    repo.write(".mailmap", "Robert Bo <robert@example.com> <bo@example.org>\n<dan@example.com> <dan@example.org>\n");
    repo.commit("Hal", "more, and names\n");
    let lines = assert_same(&repo, "src/sales.rs", &[], BlameMode::Plain)
        + assert_same(&repo, "src/other.rs", &[], BlameMode::Plain)
        + assert_same(&repo, ".mailmap", &[], BlameMode::Plain);
    assert_eq!(lines, 67);
}

#[test]
fn random_histories_are_as_in_git() {
    let mut lines = 0;
    for seed in 1..=4 {
        let mut random = Random(seed);
        let repo = Repo::new();
        let authors = ["Ana", "Bo", "Cleo", "Dan"];
        let mut paths = vec!["a.rs".to_owned(), "b/c.rs".to_owned(), "d.rs".to_owned()];
        for (index, path) in paths.iter().enumerate() {
            repo.write(path, numbered(index * 1000..index * 1000 + 30));
        }
        repo.commit("Ana", "first");
        for step in 0..40 {
            let branch = step % 10 == 3;
            if branch {
                repo.git(&["checkout", "--quiet", "-B", "side"]);
            }
            let author = authors[random.below(authors.len())];
            let file = random.below(paths.len());
            if !branch && random.below(8) == 0 {
                let target = format!("folder{step}/file.rs");
                repo.rename(&paths[file], &target);
                paths[file] = target;
            }
            edit(&repo, &paths[file], &mut random, step);
            repo.commit(author, &format!("step {step}"));
            if branch {
                repo.git(&["checkout", "--quiet", "main"]);
                let other = (file + 1) % paths.len();
                edit(&repo, &paths[other], &mut random, step + 500);
                repo.commit(authors[random.below(authors.len())], "meanwhile");
                repo.merge("Ana", "side");
            }
        }
        for path in &paths {
            lines += assert_same(&repo, path, &[], BlameMode::Plain);
        }
    }
    println!("{lines} lines of random histories are blamed as by git");
    assert!(lines > 300);
}

/// Inserts, changes or deletes a few lines.
fn edit(repo: &Repo, path: &str, random: &mut Random, step: usize) {
    let text = repo.read(path);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for part in 0..=random.below(3) {
        let at = random.below(lines.len());
        match random.below(4) {
            0 => lines.insert(at, "}".to_owned()),
            1 => lines.insert(at, format!("    inserted_{step}_{part}(value);")),
            2 if lines.len() > 20 => {
                lines.remove(at);
            }
            _ => lines[at] = format!("    changed_{step}_{part}(value);"),
        }
    }
    repo.write(path, lines.join("\n") + "\n");
}

#[test]
fn whitespace_and_ignored_commits_are_as_in_git() {
    let repo = Repo::new();
    repo.write("src/a.rs", numbered(0..20));
    repo.commit("Ana", "first");
    repo.replace("src/a.rs", "compute(5)", "compute(55)");
    repo.commit("Bo", "five");
    let indented: String = repo.read("src/a.rs").lines().map(|line| format!("        {line}\n")).collect();
    repo.write("src/a.rs", indented);
    repo.commit("Cleo", "indentation");
    assert_same(&repo, "src/a.rs", &["-w"], BlameMode::LastChange);

    let prefixed = repo.read("src/a.rs").replace("compute", "math::compute");
    repo.write("src/a.rs", prefixed);
    let ignored = repo.commit("Dan", "a mechanical change");
    repo.write(".git-blame-ignore-revs", format!("# mechanical\n{ignored}\n"));
    repo.commit("Dan", "ignored commits");
    assert_same(&repo, "src/a.rs", &["-w", "--ignore-revs-file", ".git-blame-ignore-revs"], BlameMode::LastChange);
}

fn author(repo: &Repo, path: &str, text: &str) -> Result<String, Reason> {
    let file = repo.read(path);
    let line = file.lines().position(|line| line.contains(text)).expect("the line") + 1;
    let line = u32::try_from(line).expect("a short file");
    match repo.open().blame(&repo.head(), path, line, BlameMode::LastChange, &budget()).expect("a blame") {
        Blamed::Changed(blame) => Ok(blame.author.name),
        Blamed::Unclear(reason) => Err(reason),
        _ => unreachable!("there are two results"),
    }
}

#[test]
fn a_split_line_keeps_its_author_and_a_changed_string_does_not() {
    let repo = Repo::new();
    repo.write("a.rs", "fn a() {\n    send(first(order), second(order), \"two  words\");\n    log(\"a  b\");\n}\n");
    repo.commit("Ana", "first");
    let text = "fn a() {\n    send(\n        first(order),\n        second(order),\n        \"two  words\",\n    );\n    log(\"a b\");\n}\n";
    repo.write("a.rs", text);
    repo.commit("Bo", "format, and one space less");
    assert_eq!(author(&repo, "a.rs", "second(order)"), Ok("Ana".into()));
    assert_eq!(author(&repo, "a.rs", "log("), Ok("Bo".into()));
}

#[test]
fn indentation_counts_in_python() {
    let repo = Repo::new();
    repo.write("a.py", "def a(x):\n    if x:\n        send(x)\n    return commit(x)\n");
    repo.commit("Ana", "first");
    repo.replace("a.py", "    return commit(x)", "        return commit(x)");
    repo.commit("Bo", "only if there is something");
    assert_eq!(author(&repo, "a.py", "return"), Ok("Bo".into()));
    repo.replace("a.py", "        send(x)", "        send( x )");
    repo.commit("Cleo", "spaces");
    assert_eq!(author(&repo, "a.py", "send"), Ok("Ana".into()));
}

#[test]
fn a_copy_belongs_to_its_author_and_one_moved_statement_is_unclear() {
    let repo = Repo::new();
    let body: String = (0..8).map(|n| format!("    step_{n}(order, customer);\n")).collect();
    repo.write("a.rs", format!("fn first() {{\n{body}}}\n"));
    repo.commit("Ana", "first");
    repo.write("b.rs", format!("fn second() {{\n{body}}}\n"));
    repo.commit("Bo", "copied");
    assert_eq!(author(&repo, "b.rs", "step_4"), Ok("Bo".into()));
    repo.replace("a.rs", "    step_1(order, customer);\n", "");
    repo.replace(
        "a.rs",
        "    step_7(order, customer);\n",
        "    step_7(order, customer);\n    step_1(order, customer);\n",
    );
    repo.commit("Cleo", "later");
    assert!(matches!(author(&repo, "a.rs", "step_1"), Err(Reason::MaybeMoved { .. })));
}

#[test]
fn a_shallow_clone_names_nobody_at_its_end() {
    let repo = Repo::new();
    repo.write("a.rs", "one();\ntwo();\n");
    repo.commit("Ana", "first");
    repo.replace("a.rs", "two", "three");
    repo.commit("Bo", "second");
    repo.commit("Cleo", "third");
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("shallow");
    let source = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--depth", "1", &source, target.to_str().expect("UTF-8")]);
    let shallow = Repository::open(&target).expect("a repository");
    let blamed = shallow.blame("main", "a.rs", 2, BlameMode::LastChange, &budget()).expect("a blame");
    assert_eq!(blamed, Blamed::Unclear(Reason::HistoryCut));
}

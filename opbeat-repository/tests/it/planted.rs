//! Fifty faults by eight authors, in a history of renames, formatting, moves and merges.

use std::fmt::Write as _;

use opbeat_repository::{Frame, Outcome, People};

use crate::support::{Repo, budget};

const AUTHORS: [&str; 8] = ["Ana", "Bo", "Cleo", "Dan", "Eva", "Fay", "Gus", "Hal"];
const FILES: usize = 10;
const PER_FILE: usize = 5;

/// The author of the fault, who changed the line last.
fn culprit(fault: usize) -> &'static str {
    AUTHORS[(fault * 5 + 2) % AUTHORS.len()]
}

/// Somebody else.
fn other(fault: usize) -> &'static str {
    AUTHORS[(fault * 5 + 5) % AUTHORS.len()]
}

fn function(fault: usize) -> String {
    format!(
        "/// Prices the cart of kind {fault}.\n\
         pub fn price_{fault}(cart: &Cart, rates: &Rates) -> Result<u64, PriceError> {{\n    \
             let items = cart.items_of_kind({fault}).collect::<Vec<_>>();\n    \
             let base = items.iter().map(|item| item.price * {fault}).sum::<u64>();\n    \
             let share = split_between(base, cart.customers(), rates.rounding({fault}))?;\n    \
             let tax = rates.tax(cart.country(), share).ok_or(PriceError::NoTax({fault}))?;\n    \
             record_price(\"cart {fault}\", share, tax);\n    \
             Ok(share + tax)\n}}\n\n"
    )
}

fn file(index: usize) -> String {
    format!("src/part{index}.rs")
}

/// The correct line, and the one with the fault.
fn fault_line(fault: usize) -> (String, String) {
    (
        format!("split_between(base, cart.customers(), rates.rounding({fault}))?;"),
        format!("split_between(base / cart.customers().len(), fault_{fault}(cart), rates.rounding({fault}))?;"),
    )
}

/// Splits a file into its functions.
fn functions(text: &str) -> Vec<String> {
    text.split_inclusive("\n}\n\n").map(str::to_owned).collect()
}

fn plant() -> Repo {
    let repo = Repo::new();
    for index in 0..FILES {
        let text: String = (0..PER_FILE).map(|n| function(index * PER_FILE + n)).collect();
        repo.write(&file(index), text);
        repo.commit(AUTHORS[index % AUTHORS.len()], &format!("part {index}"));
    }
    repo.write("Cargo.toml", "[package]\nname = \"shop\"\n");
    repo.commit("dependabot[bot]", "Bump serde from 1.0.1 to 1.0.2");
    for fault in 0..FILES * PER_FILE {
        if fault / PER_FILE == 8 {
            repo.git(&["checkout", "--quiet", "-B", "side"]);
        }
        let (correct, wrong) = fault_line(fault);
        repo.replace(&file(fault / PER_FILE), &correct, &wrong);
        repo.commit(culprit(fault), &format!("split prices of kind {fault} (#{fault})"));
        if fault / PER_FILE == 8 {
            repo.git(&["checkout", "--quiet", "main"]);
            let line = format!("record_price(\"cart {fault}\", share, tax);");
            repo.replace(&file(8), &line, &format!("record_price(\"kind {fault}\", share + 0, tax);"));
            repo.commit(other(fault), "meanwhile");
            repo.merge(AUTHORS[0], "side");
        }
    }
    disturb(&repo);
    repo
}

/// Changes the history after the faults were made, by other authors.
fn disturb(repo: &Repo) {
    // 0: renamed, twice.
    repo.rename(&file(0), "src/sales/part0.rs");
    repo.commit("Hal", "a folder for sales");
    repo.rename("src/sales/part0.rs", "src/sales/prices.rs");
    repo.commit("Ana", "a better name");
    // 1: renamed and edited in one commit.
    repo.rename(&file(1), "src/taxes.rs");
    let text = repo.read("src/taxes.rs").replace("Prices the cart of kind", "Taxes for the cart of kind");
    repo.write("src/taxes.rs", format!("//! Taxes.\n\n{text}"));
    repo.commit("Gus", "taxes");
    // 2: indented, inside of a module.
    let indented: String = repo.read(&file(2)).lines().map(|line| format!("    {line}\n")).collect();
    repo.write(&file(2), format!("pub mod prices {{\n{indented}}}\n"));
    repo.commit("Cleo", "a module");
    // 3: tabs, and ends of lines of another system.
    repo.write(&file(3), repo.read(&file(3)).replace("    ", "\t").replace('\n', "\r\n"));
    repo.commit("Fay", "another editor");
    // 4: formatted to short lines.
    let text = repo.read(&file(4));
    let text =
        text.replace("split_between(base", "split_between(\n        base").replace(", fault_", ",\n        fault_");
    let text = text
        .replace("(cart), rates.rounding", "(cart),\n        rates.rounding")
        .replace("))?;\n    let tax", "),\n    )?;\n    let tax");
    let text = text.replace("(cart: &Cart, rates: &Rates)", "(\n    cart: &Cart,\n    rates: &Rates,\n)");
    repo.write(&file(4), text);
    repo.commit("Bo", "cargo fmt");
    // 5: functions in another order.
    let mut parts = functions(&repo.read(&file(5)));
    parts.reverse();
    repo.write(&file(5), parts.concat());
    repo.commit("Eva", "the other way round");
    // 6: two functions into a new file, which is indented.
    let parts = functions(&repo.read(&file(6)));
    let moved: String = parts[1..3].concat().lines().map(|line| format!("    {line}\n")).collect();
    repo.write("src/moved.rs", format!("//! Moved.\n\nimpl Cart {{\n{moved}}}\n"));
    repo.write(&file(6), [&parts[..1], &parts[3..]].concat().concat());
    repo.commit("Dan", "methods of the cart");
    // 7: functions into an existing file, with edits.
    let parts = functions(&repo.read(&file(7)));
    let edited =
        parts[..3].concat().replace("record_price(", "metrics::record_price(").replace("pub fn", "pub(crate) fn");
    repo.write("src/taxes.rs", repo.read("src/taxes.rs") + &edited);
    repo.write(&file(7), parts[3..].concat());
    repo.commit("Hal", "prices into taxes");
    // 9: a mechanical change of every line, in a commit to be ignored.
    let text = repo.read(&file(9)).replace("cart", "basket").replace("rates", "tariffs");
    repo.write(&file(9), text);
    let ignored = repo.commit("Ana", "carts are baskets");
    repo.write(".git-blame-ignore-revs", format!("{ignored}\n"));
    repo.commit("Ana", "ignore the renaming");
    // A formatter ran over everything once more, and one function was changed by a program.
    for path in ["src/sales/prices.rs", "src/taxes.rs", "src/moved.rs"] {
        let text = repo.read(path).replace("(cart: &Cart, rates: &Rates)", "( cart : & Cart , rates : & Rates )");
        repo.write(path, text.replace("base / cart", "base/cart"));
    }
    repo.commit("Gus", "spaces");
    let line = fault_line(0).1;
    repo.replace(
        "src/sales/prices.rs",
        &line.replace("base / cart", "base/cart"),
        &line.replace("fault_0(cart)", "fault_0(&cart)"),
    );
    repo.commit("renovate[bot]", "Update the price crate");
}

#[test]
fn the_right_author_is_assigned_and_nobody_else() {
    let repo = plant();
    let revision = repo.head();
    let files = repo.git(&["ls-files"]);
    let repository = repo.open();
    let (mut right, mut wrong, mut unassigned, mut plain) = (0, String::new(), String::new(), 0);
    for fault in 0..FILES * PER_FILE {
        let marker = format!("fault_{fault}(");
        let (path, line, source) = files
            .lines()
            .find_map(|path| {
                let text = repo.read(path);
                let index = text.lines().position(|line| line.contains(&marker))?;
                let source = text.lines().nth(index).expect("the line").to_owned();
                Some((path.to_owned(), index + 1, source))
            })
            .expect("the fault is in a file");
        let range = format!("{line},{line}");
        let naive = repo.git(&["blame", "--line-porcelain", "-L", &range, "HEAD", "--", &path]);
        plain += usize::from(naive.contains(&format!("\nauthor {}\n", culprit(fault))));
        let line = u32::try_from(line).expect("a short file");
        let frames = [
            Frame { path: "/rustc/90b35a6/library/core/src/option.rs".into(), line: 9, in_app: false, source: None },
            Frame { path: format!("/build/shop/{path}"), line, in_app: true, source: Some(source) },
        ];
        match repository.assign(&revision, &frames, &People::new(), &budget()).expect("an outcome") {
            Outcome::Assigned(found) if found.author.name == culprit(fault) => right += 1,
            Outcome::Assigned(found) => {
                writeln!(wrong, "fault {fault} by {}: {}", culprit(fault), found.sentence(None)).expect("a text");
            }
            Outcome::Unassigned(reason) => {
                writeln!(unassigned, "fault {fault}: {}", reason.sentence()).expect("a text");
            }
            _ => unreachable!("there are two outcomes"),
        }
    }
    println!(
        "of 50 faults: {right} with the right author, {} wrong, {} without; plain git blame: {plain} right\n{wrong}{unassigned}",
        wrong.lines().count(),
        unassigned.lines().count()
    );
    assert!(wrong.is_empty(), "wrongly assigned:\n{wrong}");
    assert!(right >= 47, "only {right} of 50:\n{unassigned}");
    assert_eq!(right + unassigned.lines().count(), 50);
}

//! The tables, as `docs/comparison.md` shows them.

use std::process::{Command, ExitCode, Stdio};

use crate::columns::{COLUMNS, Column};
use crate::rows::ROWS;

/// Prints a table for each framework. Returns failure if Opbeat does less than the framework allows.
pub fn print() -> ExitCode {
    let mut shortfalls = Vec::new();
    for framework in ["axum", "actix"] {
        let columns: Vec<&Column> = COLUMNS.iter().filter(|column| column.framework == framework).collect();
        let cells: Vec<Vec<String>> = columns.iter().map(|column| cells(column)).collect();
        print_table(&columns, &cells);
        for (column, cells) in columns.iter().zip(&cells).filter(|(column, _)| column.is_ours()) {
            let is_short = |cell: &&String| !["yes", "–"].contains(&cell.as_str());
            shortfalls.extend(cells.iter().filter(is_short).map(|cell| format!("{}: {cell}", column.name)));
        }
    }
    shortfalls.iter().for_each(|shortfall| eprintln!("Opbeat does less than the framework allows: {shortfall}"));
    if shortfalls.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs this program again for one column. It prints one line per row.
fn cells(column: &Column) -> Vec<String> {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args([column.framework, column.name]).stderr(Stdio::inherit());
    let output = command.output().expect("this program runs once more");
    let cells: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(cells.len(), ROWS.len(), "{} failed: its message is above", column.name);
    cells
}

fn print_table(columns: &[&Column], cells: &[Vec<String>]) {
    let names = columns.iter().map(|column| format!("{} {}", column.name, column.version()));
    println!("| | {} |", names.collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
    for (index, row) in ROWS.iter().enumerate() {
        let cells: Vec<&str> = cells.iter().map(|column| column[index].as_str()).collect();
        println!("| {} | {} |", row.title, cells.join(" | "));
    }
    println!();
}

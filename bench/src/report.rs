//! How a bench's figures are shown: tables for people, a last line for scripts.

use std::fmt;

use crate::rate::Ratio;

/// A table with a title.
#[derive(Debug, Clone)]
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one under `title` with these columns.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self {
            title: title.into(),
            rows: vec![columns],
        }
    }

    /// Adds a row, a cell for each column.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    /// The first column is words and leans left; the others are figures and lean right.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                let width = self.width(column);
                if column == 0 {
                    write!(f, "  {cell:<width$}")?;
                } else {
                    write!(f, "  {cell:>width$}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// What a bench found.
#[derive(Debug, Clone)]
pub struct Report {
    bench: &'static str,
    tables: Vec<Table>,
    figures: Vec<(&'static str, String)>,
    complaints: Vec<String>,
}

impl Report {
    /// Without figures yet.
    pub const fn new(bench: &'static str) -> Self {
        Self {
            bench,
            tables: Vec::new(),
            figures: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// Adds what a figure should not be: `--check` fails by it.
    #[must_use]
    pub fn complaint(mut self, complaint: String) -> Self {
        self.complaints.push(complaint);
        self
    }

    /// Complains if the ratio to a ceiling is below what is asked for.
    #[must_use]
    pub fn floor(self, ceiling: &str, ratio: Ratio, least: Ratio) -> Self {
        if ratio >= least {
            return self;
        }
        self.complaint(format!("{ratio} of {ceiling}, and {least} is asked for"))
    }

    /// What the figures should not be, a sentence each.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Adds a figure to the last line.
    #[must_use]
    pub fn figure(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.figures.push((key, value.to_string()));
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            writeln!(f, "{table}")?;
        }
        write!(f, "bench={}", self.bench)?;
        for (key, value) in &self.figures {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_key_value_pairs_after_aligned_tables() {
        let mut table = Table::new("stages", &["stage", "per s"]);
        table.row(["plan".to_owned(), "900".to_owned()]);
        table.row(["hand over".to_owned(), "1200".to_owned()]);
        let report = Report::new("pipeline")
            .table(table)
            .figure("ratio", "0.70")
            .figure("events", 3);
        assert_eq!(
            report.to_string(),
            "stages\n  stage      per s\n  plan         900\n  hand over   1200\n\n\
             bench=pipeline ratio=0.70 events=3"
        );
    }
}

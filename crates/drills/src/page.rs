//! A page of the runbooks, as far as it is commands.

use std::path::Path;

use anyhow::Context as _;

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The file's name.
    pub name: String,
    text: String,
}

impl Page {
    /// The page that an alert names by its `runbook_url`.
    pub fn of_alert(folder: &Path, url: &str) -> anyhow::Result<Self> {
        let name = url.rsplit('/').next().unwrap_or(url);
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("the runbook {}", path.display()))?;
        Ok(Self {
            name: name.to_owned(),
            text,
        })
    }

    /// The `nth` block of SQL, from 1.
    pub fn sql(&self, nth: usize) -> anyhow::Result<String> {
        let blocks = self.blocks("sql");
        let block = nth.checked_sub(1).and_then(|index| blocks.get(index));
        let block = block.with_context(|| format!("{} has no block {nth} of SQL", self.name))?;
        Ok(block.join("\n"))
    }

    /// The command that begins so: a line of a block of shell, or a piece of code in a sentence.
    pub fn command(&self, begins: &str) -> anyhow::Result<String> {
        let lines = self.blocks("sh").into_iter().flatten();
        let in_sentences = self.text.split('`').skip(1).step_by(2).map(str::to_owned);
        let found = lines
            .chain(in_sentences)
            .find(|line| line.starts_with(begins));
        found.with_context(|| format!("{} has no command {begins:?}", self.name))
    }

    fn blocks(&self, language: &str) -> Vec<Vec<String>> {
        let fence = format!("```{language}");
        let mut blocks = Vec::new();
        let mut open: Option<Vec<String>> = None;
        for line in self.text.lines().map(str::trim) {
            match &mut open {
                Some(lines) if line != "```" => lines.push(line.to_owned()),
                Some(_) => blocks.extend(open.take()),
                None if line == fence => open = Some(Vec::new()),
                None => {}
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let text = "\
Do this:

```sh
first --now
second 'x'
```

1. Or that, in a list:

   ```sql
   SELECT 1;
   SELECT 2;
   ```

In a sentence: `third 3`.
";
        Page {
            name: "page.md".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn commands_are_found_by_how_they_begin_in_blocks_and_in_sentences() {
        assert_eq!(page().command("second").unwrap(), "second 'x'");
        assert_eq!(page().command("third").unwrap(), "third 3");
        assert_eq!(page().sql(1).unwrap(), "SELECT 1;\nSELECT 2;");
    }

    #[test]
    fn a_command_that_the_page_does_not_have_is_an_error() {
        let error = page().command("fourth").unwrap_err().to_string();
        assert!(
            error.contains("page.md") && error.contains("fourth"),
            "{error}"
        );
        page().sql(0).unwrap_err();
        page().sql(2).unwrap_err();
    }
}

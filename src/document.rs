//! Figures as they are told: headings, paragraphs, tables and charts, built once and rendered as plain
//! text, Markdown or one HTML page. Native only.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Style of a page; everything is inside, nothing is fetched.
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:right}\
th:first-child,td:first-child{text-align:left}figure{display:inline-block;margin:1rem 1rem 1rem 0}svg{max-width:100%;height:auto}small{color:#555}";

/// A table of text; every row has as many cells as the head.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these column heads.
    pub fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self {
            head: head.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are empty, and cells beyond the head are dropped.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.head.len(), String::new());
        self.rows.push(cells);
    }

    /// The same table with these rows added.
    pub fn with_rows<R>(mut self, rows: impl IntoIterator<Item = R>) -> Self
    where
        R: IntoIterator<Item: Into<String>>,
    {
        for row in rows {
            self.row(row);
        }
        self
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.head).chain(&self.rows)
    }

    /// Indented columns, each as wide as its widest cell.
    fn text(&self) -> String {
        let width = |column: usize| self.lines().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..self.head.len()).filter_map(width).collect();
        let mut text = String::new();
        for line in self.lines() {
            let cells = line.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            text.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
        }
        text
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| markdown(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = "---|".repeat(self.head.len());
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}|{rule}\n{rows}", line(&self.head))
    }

    fn html(&self) -> Markup {
        html! {
            table {
                tr { @for cell in &self.head { th { (cell) } } }
                @for row in &self.rows { tr { @for cell in row { td { (cell) } } } }
            }
        }
    }
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// Of a part, or of a part of it.
    Heading(bool, String),
    Paragraph(String),
    List(Vec<String>),
    Table(Table),
    /// An SVG with its caption; HTML alone shows it.
    Chart(String, &'static str),
}

/// Parts in the order in which they are read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document(Vec<Block>);

impl Document {
    /// The heading of a part.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.0.push(Block::Heading(true, text.into()));
    }

    /// The heading of a part of a part.
    pub fn subheading(&mut self, text: impl Into<String>) {
        self.0.push(Block::Heading(false, text.into()));
    }

    /// Some sentences.
    pub fn paragraph(&mut self, text: impl Into<String>) {
        self.0.push(Block::Paragraph(text.into()));
    }

    /// Sentences that stand by themselves.
    pub fn list(&mut self, items: Vec<String>) {
        self.0.push(Block::List(items));
    }

    /// A table.
    pub fn table(&mut self, table: Table) {
        self.0.push(Block::Table(table));
    }

    /// An SVG with a caption.
    pub fn chart(&mut self, svg: String, caption: &'static str) {
        self.0.push(Block::Chart(svg, caption));
    }

    /// For a terminal, an empty line between the parts; without charts.
    pub fn text(&self) -> String {
        let blocks = self.0.iter().filter_map(|block| match block {
            Block::Heading(_, text) | Block::Paragraph(text) => Some(format!("{text}\n")),
            Block::List(items) => Some(list(items)),
            Block::Table(table) => Some(table.text()),
            Block::Chart(..) => None,
        });
        blocks.collect::<Vec<_>>().join("\n")
    }

    /// As Markdown, without charts.
    pub fn markdown(&self) -> String {
        let blocks = self.0.iter().filter_map(|block| match block {
            Block::Heading(true, text) => Some(format!("## {}\n", markdown(text))),
            Block::Heading(false, text) => Some(format!("### {}\n", markdown(text))),
            Block::Paragraph(text) => Some(format!("{}\n", markdown(text))),
            Block::List(items) => {
                let items: Vec<String> = items.iter().map(|item| markdown(item)).collect();
                Some(list(&items))
            }
            Block::Table(table) => Some(table.markdown()),
            Block::Chart(..) => None,
        });
        blocks.collect::<Vec<_>>().join("\n")
    }

    /// As a page with a title that needs no other file.
    pub fn page(&self, title: &str) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (title) }
                    @for block in &self.0 { (block.html()) "\n" }
                }
            }
        };
        page.into_string()
    }
}

impl Block {
    fn html(&self) -> Markup {
        html! {
            @match self {
                Block::Heading(true, text) => h2 { (text) },
                Block::Heading(false, text) => h3 { (text) },
                Block::Paragraph(text) => p { (text) },
                Block::List(items) => ul { @for item in items { li { (item) } } },
                Block::Table(table) => (table.html()),
                Block::Chart(svg, caption) => figure {
                    (PreEscaped(svg))
                    figcaption { small { (caption) } }
                },
            }
        }
    }
}

fn list(items: &[String]) -> String {
    items.iter().map(|item| format!("- {item}\n")).collect()
}

/// Stars and bars as themselves.
fn markdown(text: &str) -> String {
    text.replace('*', "\\*").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let mut document = Document::default();
        document.heading("A <b> & \"c\"");
        document.paragraph("Two rows.");
        document.table(
            Table::new(["network", "n"]).with_rows([vec!["FERSNet*", "10"], vec!["one|two"]]),
        );
        document.chart("<svg></svg>".to_owned(), "A chart.");
        document
    }

    #[test]
    fn one_document_is_text_markdown_and_html() {
        let document = document();
        assert_eq!(
            document.text(),
            "A <b> & \"c\"\n\nTwo rows.\n\n  network   n\n  FERSNet*  10\n  one|two\n"
        );
        assert_eq!(
            document.markdown(),
            "## A <b> & \"c\"\n\nTwo rows.\n\n\
             | network | n |\n|---|---|\n| FERSNet\\* | 10 |\n| one\\|two |  |\n"
        );
        let page = document.page("Figures");
        assert!(page.contains("<title>Figures</title>") && page.contains("<svg></svg>"));
        assert!(page.contains("<td>FERSNet*</td><td>10</td>"));
    }

    #[test]
    fn what_is_told_is_no_markup() {
        let page = document().page("<i>");
        assert!(page.contains("<h2>A &lt;b&gt; &amp; &quot;c&quot;</h2>"));
        assert!(!page.contains("<b>") && !page.contains("<i>"));
    }
}

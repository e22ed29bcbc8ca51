//! Tiny trees with the official names, and what the tests ask of a data set.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use fersnet::data::{self, Dataset, Options};
use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;

/// A folder of a test, with the cache of found faces beside it.
pub struct Tree(TempDir);

impl Tree {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn root(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn file(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("written");
        self
    }

    pub fn files(&self, paths: &[&str], bytes: &[u8]) -> &Self {
        for path in paths {
            self.file(path, bytes);
        }
        self
    }

    pub fn options(&self) -> Options {
        Options {
            cache: Some(self.0.path().join("cache")),
            ..Options::default()
        }
    }

    pub fn read(&self) -> Dataset {
        data::open(&self.root(), &self.options()).expect("readable")
    }

    pub fn refusal(&self, options: Options) -> String {
        let error = data::open(&self.root(), &options).expect_err("refused");
        error.to_string()
    }

    /// The kept files with this ending.
    pub fn kept(&self, ending: &str) -> Vec<PathBuf> {
        let dir = self.0.path().join("cache").join("aligner-2");
        let entries = fs::read_dir(dir).expect("a cache");
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.retain(|path| path.extension().is_some_and(|found| found == ending));
        paths
    }
}

/// A photograph with one face.
pub fn portrait() -> Vec<u8> {
    sample("tests/photos/rendered-S1008-neutral.jpg")
}

pub fn sample(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a sample")
}

/// A square of one shade, as a cut face.
pub fn square(side: u32, shade: u8) -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    RgbImage::from_pixel(side, side, Rgb([shade; 3]))
        .write_to(&mut png, ImageFormat::Png)
        .expect("encoded");
    png.into_inner()
}

pub fn names(dataset: &Dataset) -> Vec<&str> {
    dataset
        .faces
        .iter()
        .map(|face| face.name.as_str())
        .collect()
}

pub fn class_names(dataset: &Dataset) -> Vec<&str> {
    let of = |class: usize| dataset.classes[class].as_str();
    let classes = dataset
        .faces
        .iter()
        .map(|face| face.class.map_or("none", of));
    classes.collect()
}

/// How many were skipped for a reason with these words.
pub fn skipped(dataset: &Dataset, words: &str) -> usize {
    let entries = dataset.skipped.iter();
    let fitting = entries.filter(|entry| entry.reason.contains(words));
    fitting.map(|entry| entry.count).sum()
}

pub fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub const VOTES_HEADER: &str =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";

/// FER+ with two parts: four faces of which one has no majority, and one that shows no face.
pub fn ferplus() -> Tree {
    let tree = Tree::new();
    let rows = "Training,fer0000000.png,9,1,0,0,0,0,0,0,0,0\n\
                Training,fer0000001.png,0,5,5,0,0,0,0,0,0,0\n\
                Training,fer0000002.png,0,0,0,0,0,0,0,0,2,8\n\
                Training,,0,0,0,0,0,0,0,0,0,10\n\
                PublicTest,fer0000004.png,0,0,0,0,0,0,2,8,0,0\n\
                PublicTest,fer0000005.png,0,0,0,0,10,0,0,0,0,0\n\
                PublicTest,fer0000006.png,0,0,0,0,10,0,0,0,0,0\n";
    tree.file("fer2013new.csv", format!("{VOTES_HEADER}{rows}"));
    for i in 0..3 {
        tree.file(&format!("FER2013Train/fer000000{i}.png"), square(48, i));
    }
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in [
        ("fer0000004.png", square(48, 4)),
        ("fer0000005.png", square(48, 5)),
        ("fer0000009.png", square(48, 9)),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(
                &mut header,
                format!("FER2013Valid/{name}"),
                bytes.as_slice(),
            )
            .expect("added");
    }
    tree.file(
        "FER2013Valid.tar",
        archive.into_inner().expect("an archive"),
    );
    tree
}

/// Two subjects with two expressions; the first has a further photograph, the second's eyes move by
/// `moved` pixels.
pub fn paired(moved: usize) -> Tree {
    let tree = Tree::new();
    let mut table = "file,subject,source,expression,intensity,sample,left_eye_x,left_eye_y,right_eye_x,right_eye_y,sex,age,split\n".to_owned();
    let rows = [
        ("a/neutral/0.png", "a", "neutral", "0", 62, "female,31.5"),
        ("a/fear/0.png", "a", "fear", "0.7", 62, "female,31.5"),
        (
            "a/happiness/real.png",
            "a",
            "happiness",
            "real",
            70,
            "female,31.5",
        ),
        ("b/neutral/0.png", "b", "neutral", "0", 62, "male,"),
        ("b/fear/0.png", "b", "fear", "1.1", 62 + moved, "male,"),
    ];
    for (file, subject, expression, kind, eye, group) in rows {
        let (intensity, sample) = if kind == "real" {
            ("", "real")
        } else {
            (kind, "0")
        };
        table.push_str(&format!(
            "{file},{subject},made,{expression},{intensity},{sample},{eye},38,34,38,{group},train\n"
        ));
        tree.file(file, square(96, eye as u8));
    }
    tree.file("manifest.csv", table);
    tree
}

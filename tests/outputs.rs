//! What a command writes: whole or not at all, never over what it reads; and the answers to many pictures.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn fersnet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn repository(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with a copy of a file of the repository.
fn folder_with(relative: &str, name: &str) -> (TempDir, String, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = std::fs::read(repository(relative)).expect("a file");
    let path = folder.path().join(name);
    std::fs::write(&path, &bytes).expect("written");
    (folder, path.display().to_string(), bytes)
}

fn inside(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// The names in a folder: nothing half-written may stay in it.
fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn a_photo_is_never_written_over_under_any_of_its_names() {
    let (folder, photo, bytes) = folder_with("tests/photos/turned.jpg", "photo.jpg");
    let detour = inside(&folder, "./../x/photo.jpg").replace("../x", ".");
    let mut outputs = vec![photo.clone(), detour];
    #[cfg(unix)]
    {
        let (link, hard) = (inside(&folder, "link.jpg"), inside(&folder, "hard.jpg"));
        std::os::unix::fs::symlink(&photo, &link).expect("a link");
        std::fs::hard_link(&photo, &hard).expect("a second name");
        outputs.extend([link, hard]);
    }
    for output in outputs {
        let refused = fersnet(&[
            "synthesize",
            "--target",
            "fear",
            "--force",
            "-o",
            &output,
            &photo,
        ]);
        assert_eq!(
            refused.status.code(),
            Some(2),
            "{output}: {}",
            said(&refused)
        );
        assert!(
            said(&refused).contains("is what is read"),
            "{}",
            said(&refused)
        );
        assert!(std::fs::read(&photo).expect("a file") == bytes, "{output}");
    }
}

#[test]
fn a_file_of_another_program_is_replaced_only_by_force_and_ones_own_always() {
    let (folder, photo, bytes) = folder_with("tests/photos/turned.jpg", "photo.jpg");
    let other = inside(&folder, "other.jpg");
    std::fs::write(&other, &bytes).expect("written");
    let synthesize = |more: &[&str]| {
        let start = ["synthesize", "--target", "fear", "-o", &other, &photo];
        fersnet(&[&start[..], more].concat())
    };
    let refused = synthesize(&[]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("--force"), "{}", said(&refused));
    assert!(std::fs::read(&other).expect("a file") == bytes);
    for more in [&["--force"][..], &[]] {
        let done = synthesize(more);
        assert!(done.status.success(), "{}", said(&done));
        let written = std::fs::read(&other).expect("a file");
        assert!(fersnet::mark::is_marked(&written));
    }
    assert_eq!(names(&folder), ["other.jpg", "photo.jpg"]);
}

#[test]
fn where_nothing_can_be_written_is_told_before_the_work() {
    let (folder, photo, _) = folder_with("tests/photos/no-face.jpg", "photo.jpg");
    // The picture has no face: a later refusal would be another one.
    for (output, why) in [
        (inside(&folder, "none/out.jpg"), "folder is not there"),
        (
            format!("{}/./x.jpg", inside(&folder, "photo.jpg")),
            "folder is not there",
        ),
    ] {
        let refused = fersnet(&["synthesize", "--target", "fear", "-o", &output, &photo]);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(why), "{}", said(&refused));
    }
    std::fs::create_dir(inside(&folder, "taken.png")).expect("a folder");
    let output = inside(&folder, "taken.png");
    let refused = fersnet(&["synthesize", "--target", "fear", "-o", &output, &photo]);
    assert!(said(&refused).contains("is a folder"), "{}", said(&refused));
}

#[test]
fn weight_files_are_never_written_over_what_they_are_made_of() {
    let (folder, file, bytes) = folder_with("weights/fersnet.safetensors", "n.safetensors");
    let decoder = inside(&folder, "n-decoder.safetensors");
    std::fs::copy(repository("weights/fersnet-decoder.safetensors"), &decoder).expect("copied");
    let (_other, checkpoint, _) = folder_with("tests/golden/authors-tiny.pth", "a.pth");
    let painter = repository("weights/fersnet-painter.safetensors");
    let painter = painter.display().to_string();
    let out = inside(&folder, "out.safetensors");
    for arguments in [
        &["join", &file, "--painter", &painter, "-o", &file][..],
        &["join", &file, "--painter", &painter, "-o", &painter],
        &["split", &file, "-o", &file, "--painter", &out],
        &["split", &file, "-o", &out, "--painter", &out],
        &["split", &decoder, "-o", &file, "--painter", &out],
        &["convert", &checkpoint, "-o", &checkpoint],
        &["forward", "-o", &checkpoint, &checkpoint],
        &["convert", &file, "--bits", "8", "-o", &file],
    ] {
        let refused = fersnet(arguments);
        assert_eq!(
            refused.status.code(),
            Some(2),
            "{arguments:?}: {}",
            said(&refused)
        );
    }
    assert!(std::fs::read(&file).expect("a file") == bytes);
    assert_eq!(names(&folder), ["n-decoder.safetensors", "n.safetensors"]);
}

#[test]
fn a_weight_file_in_eight_bits_is_half_as_large_and_reads_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| repository(&format!("weights/{name}")).display().to_string();
    let small = |name: &str| {
        let out = inside(&folder, name);
        let done = fersnet(&["convert", &file(name), "--bits", "8", "-o", &out]);
        assert!(done.status.success(), "{}", said(&done));
        out
    };
    let bytes = |path: &str| std::fs::metadata(path).expect("a file").len();
    let (network, painter) = (
        small("fersnet.safetensors"),
        small("fersnet-painter.safetensors"),
    );
    assert!(bytes(&painter) < bytes(&file("fersnet-painter.safetensors")) * 6 / 10);
    // The network is in bytes already: nothing is rounded twice.
    assert_eq!(bytes(&network), bytes(&file("fersnet.safetensors")));
    std::fs::copy(
        file("fersnet-decoder.safetensors"),
        inside(&folder, "fersnet-decoder.safetensors"),
    )
    .expect("copied");
    let photo = repository("tests/photos/several.jpg").display().to_string();
    let answers = |weights: &[&str]| {
        let output = fersnet(&[&["predict", "--json", &photo][..], weights].concat());
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        told["pictures"][0]["faces"]
            .as_array()
            .expect("faces")
            .clone()
    };
    let (own, rounded) = (
        answers(&[]),
        answers(&["--weights", &network, "--painter", &painter]),
    );
    assert_eq!(own.len(), rounded.len());
    for (own, rounded) in own.iter().zip(&rounded) {
        assert_eq!(own["expression"], rounded["expression"]);
        let probabilities = own["probabilities"].as_object().expect("an object");
        for (class, p) in probabilities {
            let other = rounded["probabilities"][class].as_f64().expect("a number");
            assert!(
                (p.as_f64().expect("a number") - other).abs() < 0.05,
                "{class}"
            );
        }
    }
}

/// Three photos, one that is none between them, and one without a face.
fn mixed(folder: &TempDir) -> Vec<String> {
    let photo = |name: &str| {
        repository(&format!("tests/photos/{name}"))
            .display()
            .to_string()
    };
    let bad = inside(folder, "bad, \"quoted\".jpg");
    std::fs::write(&bad, b"this is no picture").expect("written");
    vec![
        photo("several.jpg"),
        bad,
        photo("turned.jpg"),
        photo("no-face.jpg"),
        photo("turned.jpg"),
    ]
}

#[test]
fn a_table_has_a_row_for_each_face_and_for_each_picture_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = mixed(&folder);
    let mut arguments = vec!["predict", "--csv", "--controls", "--jobs", "3"];
    arguments.extend(pictures.iter().map(String::as_str));
    let output = fersnet(&arguments);
    // The last picture that failed has no face.
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("not a picture"), "{}", said(&output));
    let mut table = csv::Reader::from_reader(&output.stdout[..]);
    let head = table.headers().expect("a head").clone();
    let column = |name: &str| head.iter().position(|own| own == name).expect("a column");
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
    let files: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    let expected = [0, 0, 0, 0, 0, 0, 1, 2, 3, 4].map(|i: usize| pictures[i].as_str());
    assert_eq!(files, expected);
    let errors = rows.iter().map(|row| row[column("error")].is_empty());
    let failed = [6, 8];
    assert!(
        errors
            .enumerate()
            .all(|(i, none)| none != failed.contains(&i))
    );
    let face = &rows[7];
    assert_eq!((&face[1], &face[column("expression")]), ("0", "happiness"));
    assert_eq!(face[column("confidence")], face[column("p_happiness")]);
    let number = |name: &str| face[column(name)].parse::<f32>().expect("a number");
    assert!(number("width") > 40.0 && number("jawOpen") >= 0.0);
    // Every worker answers alike.
    assert_eq!(
        &rows[7].iter().collect::<Vec<_>>()[1..],
        &rows[9].iter().collect::<Vec<_>>()[1..]
    );
}

#[test]
fn a_file_whose_name_begins_like_a_formula_is_a_text_in_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(inside(&folder, "=1+1.jpg"), b"no picture").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(["predict", "--csv", "=1+1.jpg"])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("\n'=1+1.jpg,"), "{text}");
}

#[test]
fn answers_to_a_file_are_there_whole_and_in_the_pictures_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let pictures = mixed(&folder);
    let out = inside(&folder, "answers.json");
    for jobs in ["1", "2"] {
        let mut arguments = vec!["predict", "--json", "--jobs", jobs, "-o", &out];
        arguments.extend(pictures.iter().map(String::as_str));
        let output = fersnet(&arguments);
        assert!(output.stdout.is_empty(), "{}", said(&output));
        let told: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&out).expect("a file")).expect("JSON");
        let files = told["pictures"].as_array().expect("pictures").iter();
        let files: Vec<&str> = files.filter_map(|one| one["file"].as_str()).collect();
        assert_eq!(files, pictures);
    }
    assert_eq!(names(&folder), ["answers.json", "bad, \"quoted\".jpg"]);
    // A picture is no place for answers.
    let refused = fersnet(&["predict", "--csv", "-o", &pictures[1], &pictures[1]]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
}

#[test]
fn a_reader_that_has_enough_ends_the_command_quietly() {
    let photo = repository("tests/photos/several.jpg").display().to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(["predict", &photo, &photo, &photo])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(said(&output), "");
}

//! `fersnet predict` over videos: a clip of two persons, drawn from the sample portraits by ffmpeg as in
//! tests/web/clip.mjs, with a cut between them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// How far figures of one frame may differ between two ways to it: the order of sums in several threads.
const SAME_FRAME: f64 = 2e-3;

/// The clip's frames a second, and those of its shots: a smiling woman, a neutral man, both.
const RATE: usize = 25;
const SHOTS: [usize; 3] = [40, 30, 30];

fn fersnet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn path(relative: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(relative).display().to_string()
}

fn scratch(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn ffmpeg(arguments: &[&str]) {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .output()
        .expect("ffmpeg is missing, and these tests need it: run `make setup`");
    assert!(made.status.success(), "{}", said(&made));
}

/// Draws the clip; its name's ending says how it is encoded.
fn clip(dir: &tempfile::TempDir, name: &str) -> String {
    let [woman, man] =
        ["astronaut", "composite-m-african"].map(|name| path(&format!("www/samples/{name}.jpg")));
    let seconds = SHOTS.map(|frames| frames as f64 / RATE as f64);
    let wall = |colour: &str, shot: usize| {
        let length = seconds[shot];
        format!("color={colour}:s=320x240:r={RATE}:d={length}[g{shot}]")
    };
    let drawn = [
        "[0]crop=300:300:75:0,split[a0][a1];[a0]scale=200:200,loop=-1:1,fps=25[a];[a1]scale=150:150,loop=-1:1,fps=25[as]".to_owned(),
        "[1]split[b0][b1];[b0]scale=200:200,loop=-1:1,fps=25[b];[b1]scale=150:150,loop=-1:1,fps=25[bs]".to_owned(),
        wall("0x8090a0", 0),
        wall("0x705040", 1),
        wall("0x406050", 2),
        "[g0][a]overlay=x='60+50*sin(2*t)':y='20+10*sin(3*t)':shortest=1[s1]".to_owned(),
        "[g1][b]overlay=x='60+40*sin(2*t+1)':y=20:shortest=1[s2]".to_owned(),
        "[g2][as]overlay=x='5+5*sin(2*t)':y='40+20*sin(t)':shortest=1[s]".to_owned(),
        "[s][bs]overlay=x='165+4*sin(3*t)':y='50+20*sin(2*t)':shortest=1[s3]".to_owned(),
        "[s1][s2][s3]concat=n=3:v=1,format=yuv420p[v]".to_owned(),
    ];
    let out = scratch(dir, name);
    let codec: &[&str] = if name.ends_with(".webm") {
        &[
            "-c:v",
            "libvpx",
            "-b:v",
            "600k",
            "-deadline",
            "realtime",
            "-cpu-used",
            "16",
        ]
    } else {
        &["-c:v", "libx264", "-preset", "ultrafast"]
    };
    let mut arguments = vec![
        "-framerate",
        "25",
        "-i",
        &woman,
        "-framerate",
        "25",
        "-i",
        &man,
    ];
    let drawn = drawn.join(";");
    arguments.extend(["-filter_complex", &drawn, "-map", "[v]"]);
    arguments.extend(codec);
    arguments.push(&out);
    ffmpeg(&arguments);
    out
}

/// A table's rows, each by the names of its columns.
fn table(bytes: &[u8]) -> (Vec<String>, Vec<std::collections::BTreeMap<String, String>>) {
    let mut reader = csv::Reader::from_reader(bytes);
    let head: Vec<String> = reader
        .headers()
        .expect("a head")
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        head.iter()
            .cloned()
            .zip(row.iter().map(str::to_owned))
            .collect()
    });
    let rows = rows.collect();
    (head, rows)
}

#[test]
fn a_videos_rows_are_those_of_its_frames_with_time_and_one_id_a_face_and_shot() {
    let dir = tempfile::tempdir().expect("a folder");
    let video = clip(&dir, "clip.mp4");
    let output = fersnet(&["predict", "--csv", "--controls", "--every", "5", &video]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let (head, rows) = table(&output.stdout);
    let start =
        "file time seconds frame id face x y width height expression confidence certain doubts";
    assert_eq!(head[..14].join(" "), start);

    ffmpeg(&[
        "-i",
        &video,
        "-vf",
        "select='not(mod(n,5))'",
        "-fps_mode",
        "passthrough",
        &scratch(&dir, "%03d.png"),
    ]);
    let frames: usize = SHOTS.iter().sum::<usize>() / 5;
    let pictures: Vec<String> = (1..=frames)
        .map(|i| scratch(&dir, &format!("{i:03}.png")))
        .collect();
    let mut arguments = vec!["predict", "--csv", "--controls"];
    arguments.extend(pictures.iter().map(String::as_str));
    let alone = fersnet(&arguments);
    assert_eq!(alone.status.code(), Some(0), "{}", said(&alone));
    let (picture_head, alone) = table(&alone.stdout);
    let own: Vec<&String> = head
        .iter()
        .filter(|name| !["time", "seconds", "frame", "id"].contains(&name.as_str()))
        .collect();
    assert_eq!(own, picture_head.iter().collect::<Vec<_>>());

    assert_eq!(rows.len(), 8 + 6 + 2 * 6);
    assert_eq!(rows.len(), alone.len());
    for (row, alone) in rows.iter().zip(&alone) {
        let frame: usize = row["frame"].parse().expect("a number");
        assert_eq!(
            alone["file"],
            scratch(&dir, &format!("{:03}.png", frame / 5 + 1))
        );
        let seconds = frame as f64 / RATE as f64;
        assert_eq!(
            (&row["seconds"], &row["time"]),
            (&format!("{seconds:.3}"), &format!("00:00:{seconds:06.3}"))
        );
        for name in &picture_head[1..] {
            match (row[name].parse::<f64>(), alone[name].parse::<f64>()) {
                (Ok(a), Ok(b)) => {
                    let most = if ["x", "y", "width", "height"].contains(&name.as_str()) {
                        0.11
                    } else {
                        SAME_FRAME
                    };
                    assert!((a - b).abs() <= most, "frame {frame}, {name}: {a}, {b}");
                }
                _ => assert_eq!(row[name], alone[name], "frame {frame}, {name}"),
            }
        }
    }
    let ids = |shot: usize| -> Vec<Vec<&str>> {
        let from: usize = SHOTS[..shot].iter().sum();
        let frames = (from..from + SHOTS[shot]).filter(|frame| frame % 5 == 0);
        let of = |frame: usize| {
            rows.iter()
                .filter(move |row| row["frame"] == frame.to_string())
        };
        frames
            .map(|frame| {
                of(frame)
                    .map(|row| row["id"].as_str())
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect()
            })
            .collect()
    };
    for (shot, expected) in [(0, vec!["1"]), (1, vec!["2"]), (2, vec!["3", "4"])] {
        assert!(
            ids(shot).iter().all(|ids| *ids == expected),
            "shot {shot}: {:?}",
            ids(shot)
        );
    }
    for row in &rows {
        let is_man = row["id"] == "2"
            || (row["id"].as_str() > "2" && row["x"].parse::<f64>().expect("a place") > 160.0);
        assert_eq!(
            row["expression"],
            if is_man { "neutral" } else { "happiness" },
            "{row:?}"
        );
    }
}

#[test]
fn a_videos_json_is_that_of_the_page_and_a_rate_takes_the_nearest_frames() {
    let dir = tempfile::tempdir().expect("a folder");
    let video = clip(&dir, "clip.webm");
    let slow = scratch(&dir, "slow.webm");
    // 12.5 frames a second: ten a second are not each a whole number of frames apart.
    ffmpeg(&[
        "-i",
        &video,
        "-r",
        "25/2",
        "-t",
        "2",
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        &slow,
    ]);
    let output = fersnet(&["predict", "--json", "--fps", "10", &slow]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let facts = &told["video"];
    assert_eq!(
        (
            &facts["file"],
            &facts["width"],
            &facts["height"],
            &facts["rate"]
        ),
        (&slow.into(), &320.into(), &240.into(), &12.5.into())
    );
    let frames = told["frames"].as_array().expect("frames");
    let numbers: Vec<u64> = frames
        .iter()
        .filter_map(|frame| frame["frame"].as_u64())
        .collect();
    // As www/page/clip-run.js rounds: round(i * 1.25).
    let nearest: Vec<u64> = (0..20)
        .map(|i| (f64::from(i) * 1.25 + 1e-9).round() as u64)
        .collect();
    assert_eq!(numbers, nearest);
    let face = &frames[3]["faces"][0];
    assert_eq!(
        (&face["id"], &face["expression"]),
        (&1.into(), &"happiness".into())
    );
    assert!(face["landmarks"]["left_eye"]["x"].is_number() && face["doubts"].is_array());
    assert_eq!(
        frames[5]["time"],
        format!("00:00:00.{:03}", 80 * numbers[5])
    );
}

#[test]
fn pictures_and_videos_may_be_mixed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (video, photo) = (clip(&dir, "clip.webm"), path("tests/photos/turned.jpg"));
    let table_file = scratch(&dir, "faces.csv");
    let output = fersnet(&[
        "predict",
        "--csv",
        "--fps",
        "1",
        "-o",
        &table_file,
        &photo,
        &video,
        &photo,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let (_, rows) = table(&std::fs::read(&table_file).expect("a table"));
    let whose: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["file"].as_str(), row["frame"].as_str()))
        .collect();
    let frames = [
        (&*video, "0"),
        (&*video, "25"),
        (&*video, "50"),
        (&*video, "75"),
        (&*video, "75"),
    ];
    let mut expected = vec![(photo.as_str(), "")];
    expected.extend(frames);
    expected.push((&photo, ""));
    assert_eq!(whose, expected);

    // A table of this program is replaced without being asked twice.
    let output = fersnet(&[
        "predict",
        "--json",
        "--fps",
        "1",
        "-o",
        &table_file,
        &photo,
        &video,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told: Value =
        serde_json::from_slice(&std::fs::read(&table_file).expect("a file")).expect("JSON");
    assert_eq!(
        told["pictures"][0]["faces"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(told["pictures"][1]["video"]["file"], video.as_str());
    assert_eq!(
        told["pictures"][1]["frames"].as_array().map(Vec::len),
        Some(4)
    );
}

#[test]
fn a_file_that_is_no_whole_video_says_so_and_what_could_be_decoded_is_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let diary = scratch(&dir, "diary.mp4");
    std::fs::write(
        &diary,
        "Dear diary, today I was renamed to a video.\n".repeat(50),
    )
    .expect("written");
    // A playlist would open other files and addresses.
    let playlist = scratch(&dir, "list.mp4");
    let video = clip(&dir, "clip.mp4");
    std::fs::write(
        &playlist,
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{video}\n#EXT-X-ENDLIST\n"),
    )
    .expect("written");
    // An MP4 has its index at its end.
    let half = scratch(&dir, "half.mp4");
    let bytes = std::fs::read(&video).expect("a clip");
    std::fs::write(&half, &bytes[..bytes.len() / 2]).expect("written");
    for bad in [&diary, &playlist, &half, &scratch(&dir, "nowhere.mp4")] {
        let output = fersnet(&["predict", "--json", bad]);
        assert_eq!(output.status.code(), Some(3), "{bad}: {}", said(&output));
        assert!(said(&output).contains(bad.as_str()), "{}", said(&output));
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(
            told["error"]
                .as_str()
                .is_some_and(|why| why.contains(bad.as_str())),
            "{told}"
        );
    }

    let webm = clip(&dir, "whole.webm");
    let cut = scratch(&dir, "cut.webm");
    let bytes = std::fs::read(&webm).expect("a clip");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("written");
    let photo = path("tests/photos/turned.jpg");
    let output = fersnet(&["predict", "--csv", "--every", "10", &cut, &photo]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("cut short after"),
        "{}",
        said(&output)
    );
    let (_, rows) = table(&output.stdout);
    let errors = rows.iter().filter(|row| !row["error"].is_empty()).count();
    assert!(rows.len() > 4 && errors == 1, "{rows:?}");
    assert_eq!(
        rows[rows.len() - 1]["file"],
        photo,
        "the next file is recognised all the same"
    );
}

#[test]
fn without_ffmpeg_it_says_what_to_install() {
    let dir = tempfile::tempdir().expect("a folder");
    let video = scratch(&dir, "clip.mp4");
    std::fs::write(&video, "never decoded").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(["predict", &video])
        .env("PATH", dir.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("install ffmpeg"),
        "{}",
        said(&output)
    );
}

#[test]
fn arguments_that_fit_no_video_are_refused() {
    for (arguments, why) in [
        (["--whole", "--json", "clip.mp4"], "--whole"),
        (["--fps", "0", "clip.mp4"], "frames a second"),
        (["--every", "0", "clip.mp4"], "0"),
    ] {
        let output = fersnet(&[&["predict"][..], &arguments].concat());
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_keeps_what_was_recognised_and_leaves_no_ffmpeg_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let video = clip(&dir, "clip.mp4");
    let mut running = Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(["predict", "--json", "--every", "1", &video])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut told = BufReader::new(running.stdout.take().expect("a pipe"));
    let mut text = String::new();
    while text.matches("\"time\"").count() < 3 {
        assert!(told.read_line(&mut text).expect("read") > 0, "{text}");
    }
    let stopped = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(stopped.expect("kill runs").success());
    told.read_to_string(&mut text).expect("read");
    let mut why = String::new();
    running
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut why)
        .expect("read");
    assert_eq!(running.wait().expect("ended").code(), Some(1), "{why}");
    assert!(why.contains("Ctrl-C"), "{why}");
    let told: Value = serde_json::from_str(&text).expect("whole JSON");
    let frames = told["frames"].as_array().expect("frames").len();
    assert!((3..SHOTS.iter().sum()).contains(&frames), "{frames} frames");
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let left = processes.filter_map(|one| std::fs::read_to_string(one.path().join("cmdline")).ok());
    let left: Vec<String> = left
        .filter(|line| line.starts_with("ffmpeg") && line.contains(&video))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

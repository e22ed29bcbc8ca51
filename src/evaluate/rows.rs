//! The figures of redrawn photographs as rows of text, for the command line and the page alike.

use super::bootstrap::Interval;
use super::{Identity, InPhoto, Rule, Share};

/// Heads of the columns of [`InPhoto::rows`].
pub const HEAD: [&str; 4] = ["figure", "value", "95 %", "beside it"];

/// Heads of the columns of [`InPhoto::slider_rows`].
pub const SLIDER_HEAD: [&str; 5] = [
    "control",
    "part",
    "rank correlation",
    "leak",
    "movement (eye distances)",
];

impl InPhoto {
    /// Every figure that there is: its name, its value, its interval, and what it stands beside.
    pub fn rows(&self) -> Vec<[String; 4]> {
        let mut rows = Vec::new();
        let mut add = |row: Option<[String; 4]>| rows.extend(row);
        add(self
            .recognised_as_target
            .map(|read| share("read as the target, in the photo", &read, String::new())));
        add(self.sharpness.map(|s| {
            let toothy = s.with_teeth.map_or(String::new(), |ratio| {
                format!(
                    "; against smiles with teeth {ratio:.2} (n {})",
                    s.with_teeth_n
                )
            });
            [
                "mouth sharpness against the real smile".to_owned(),
                format!("{:.2}", s.ratio_of_means),
                plain(s.interval),
                format!(
                    "median {:.2}; not redrawn {:.2}{toothy}; n {}",
                    s.median_ratio, s.unchanged, s.n
                ),
            ]
        }));
        add(self.teeth_asked.map(|r| {
            rule(
                "teeth asked for and seen",
                &r,
                "real smiles",
                "of the mouth",
            )
        }));
        add(self
            .teeth_not_asked
            .map(|r| rule("teeth not asked for and not seen", &r, "", "of the mouth")));
        add(self
            .jaw_opens
            .map(|r| rule("jaw opens (surprise)", &r, "", "open")));
        add(self
            .smile_closes
            .map(|r| rule("a smile closes", &r, "neutral photos", "open")));
        add(self.tears.map(|t| {
            let interval = t.interval.map(|ends| ends.map(|end| 100.0 * end));
            [
                "tears".to_owned(),
                format!("{:.3} %", 100.0 * t.share),
                plain(interval),
                format!(
                    "{} of the faces are torn; under painted mouths {:.3} %; n {}",
                    percent(t.torn_faces),
                    100.0 * t.covered,
                    t.n
                ),
            ]
        }));
        add(self
            .identity
            .as_ref()
            .map(|one| identity("identity, whole face (cosine)", one)));
        add(self
            .upper_face
            .as_ref()
            .map(|one| identity("identity, upper face (cosine)", one)));
        add(self.mouths.as_ref().map(|k| {
            [
                "real or redrawn? (KID of mouths)".to_owned(),
                format!("{:.3}", k.kid),
                k.interval.map_or(String::new(), |[low, high]| {
                    format!("{low:.3} to {high:.3}")
                }),
                format!(
                    "real against real {:.3}; not redrawn {:.3}; {} redrawn, {} real",
                    k.real_against_real, k.unchanged, k.redrawn_n, k.real_n
                ),
            ]
        }));
        add(self.sliders.as_ref().map(|s| {
            [
                "each slider moves its own part (rank correlation)".to_owned(),
                format!("{:.3}", s.spearman),
                String::new(),
                format!(
                    "leak {:.2}; {} controls on {} faces",
                    s.leak,
                    s.per_control.len(),
                    s.n
                ),
            ]
        }));
        rows
    }

    /// Every slider; nothing for a network without controls.
    pub fn slider_rows(&self) -> Vec<[String; 5]> {
        let sliders = self.sliders.iter().flat_map(|sliders| &sliders.per_control);
        sliders
            .map(|(name, one)| {
                [
                    name.clone(),
                    format!("{:?}", one.region).to_lowercase(),
                    format!("{:.3}", one.spearman),
                    format!("{:.2}", one.leak),
                    format!("{:.3}", one.movement),
                ]
            })
            .collect()
    }
}

fn share(name: &str, share: &Share, beside: String) -> [String; 4] {
    let n = format!("n {}", share.n);
    let beside = if beside.is_empty() {
        n
    } else {
        format!("{beside}; {n}")
    };
    [
        name.to_owned(),
        percent(share.share),
        plain(share.interval.map(|ends| ends.map(|end| 100.0 * end))),
        beside,
    ]
}

fn rule(name: &str, rule: &Rule, real: &str, mean: &str) -> [String; 4] {
    let mut beside = format!("not redrawn {}", percent(rule.unchanged));
    if let Some(share) = rule.real {
        beside.push_str(&format!("; {real} {}", percent(share)));
    }
    beside.push_str(&format!("; mean {:.2} {mean}", rule.mean));
    share(name, &rule.share, beside)
}

fn identity(name: &str, found: &Identity) -> [String; 4] {
    let redrawn = found.redrawn;
    let mut beside = format!("same identity {}", percent(redrawn.same_identity));
    for (name, pairs) in [
        ("two photos of one", found.same_subject),
        ("of two subjects", found.different_subjects),
    ] {
        if let Some(pairs) = pairs {
            beside.push_str(&format!("; {name} {:.3}", pairs.cosine));
        }
    }
    beside.push_str(&format!("; pairs {}", redrawn.n));
    [
        name.to_owned(),
        format!("{:.3}", redrawn.cosine),
        String::new(),
        beside,
    ]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn plain(interval: Option<Interval>) -> String {
    interval.map_or(String::new(), |[low, high]| {
        format!("{low:.2} to {high:.2}")
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evaluate::{Kid, Likeness, Region, Sharpness, Slider, Sliders, Tears};

    /// Every figure, with made-up values.
    pub fn made() -> InPhoto {
        let share = Share {
            n: 8,
            share: 0.75,
            interval: Some([0.5, 1.0]),
        };
        let rule = Rule {
            share,
            unchanged: 0.25,
            real: Some(0.9),
            mean: 0.3,
        };
        let likeness = Likeness {
            n: 8,
            cosine: 0.97,
            distance: 0.3,
            same_identity: 1.0,
        };
        let identity = Identity {
            redrawn: likeness,
            same_subject: Some(likeness),
            different_subjects: None,
        };
        let slider = Slider {
            region: Region::Jaw,
            spearman: 0.99,
            leak: 0.2,
            movement: 0.1,
        };
        InPhoto {
            n: 4,
            smiles_n: 2,
            recognised_as_target: Some(share),
            sharpness: Some(Sharpness {
                n: 4,
                ratio_of_means: 0.62,
                interval: Some([0.5, 0.8]),
                median_ratio: 0.6,
                unchanged: 0.4,
                with_teeth_n: 2,
                with_teeth: Some(0.5),
            }),
            teeth_asked: Some(rule),
            teeth_not_asked: Some(rule),
            jaw_opens: Some(rule),
            smile_closes: Some(rule),
            tears: Some(Tears {
                n: 32,
                share: 0.001,
                interval: None,
                torn_faces: 0.1,
                covered: 0.002,
            }),
            identity: Some(identity),
            upper_face: Some(identity),
            mouths: Some(Kid {
                redrawn_n: 4,
                real_n: 4,
                kid: 0.2,
                interval: Some([0.1, 0.3]),
                unchanged: 0.5,
                real_against_real: 0.05,
                real_interval: None,
            }),
            sliders: Some(Sliders {
                n: 2,
                spearman: 0.99,
                leak: 0.2,
                per_control: [("jawOpen".to_owned(), slider)].into(),
            }),
        }
    }

    #[test]
    fn every_figure_has_a_row_and_every_slider_one_of_its_own() {
        let rows = made().rows();
        assert_eq!(rows.len(), 11);
        let row = |name: &str| {
            rows.iter()
                .find(|row| row[0].contains(name))
                .expect("a row")
        };
        assert_eq!(row("smile closes")[1..3], ["75.0 %", "50.00 to 100.00"]);
        assert!(row("smile closes")[3].contains("neutral photos 90.0 %"));
        assert_eq!(row("tears")[1], "0.100 %");
        assert!(row("sharpness")[3].contains("with teeth 0.50 (n 2)"));
        assert_eq!(
            made().slider_rows(),
            [["jawOpen", "jaw", "0.990", "0.20", "0.100"].map(str::to_owned)]
        );
        let without = InPhoto {
            sliders: None,
            teeth_asked: None,
            ..made()
        };
        assert_eq!((without.rows().len(), without.slider_rows().len()), (9, 0));
    }
}

//! What can be done with a data set, whatever its layout.

use std::path::Path;

use super::cut::Found;
use super::expressions::canonical;
use super::skipped::Tally;
use super::{DataError, Dataset, Face, Layout, SYNTHETIC};

impl Face {
    /// A face at full intensity of which nothing else is known.
    pub(super) fn new(name: String, label: Vec<f32>, class: Option<usize>, found: Found) -> Self {
        Self {
            name,
            subject: None,
            source: String::new(),
            label,
            class,
            intensity: 1.0,
            groups: Default::default(),
            crop_region: found.crop_region,
            picture: found.picture,
            digest: found.digest,
            photo: String::new(),
            controls: None,
            cavity: None,
            flow: None,
        }
    }

    /// Whether a network drew it.
    pub fn is_synthetic(&self) -> bool {
        self.source == SYNTHETIC
    }

    /// Who is shown: the subject, or the picture itself where nobody says who it is.
    pub fn identity(&self) -> &str {
        self.subject.as_deref().unwrap_or(&self.name)
    }

    /// The face with one more thing known of it.
    pub(super) fn with_group(mut self, group: &str, value: &str) -> Self {
        self.groups.insert(group.to_owned(), value.to_owned());
        self
    }
}

impl Dataset {
    /// The faces in the order of their names: archives and folders list in different orders, and
    /// runs must not differ by that.
    pub(super) fn build(
        root: &Path,
        layout: Layout,
        classes: Vec<String>,
        mut faces: Vec<Face>,
        skipped: Tally,
    ) -> Result<Self, DataError> {
        if faces.is_empty() {
            return Err(DataError::Empty {
                root: root.to_owned(),
                layout,
                why: skipped.in_words("there are no pictures"),
            });
        }
        faces.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            root: root.to_owned(),
            layout,
            classes,
            controls: Vec::new(),
            pixel_aligned: false,
            faces,
            skipped: skipped.into_vec(),
        })
    }

    /// The subjects, sorted, each once.
    pub fn subjects(&self) -> Vec<&str> {
        let mut subjects: Vec<_> = self
            .faces
            .iter()
            .filter_map(|face| face.subject.as_deref())
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// How many faces count as each class, `[E]`.
    pub fn count_by_class(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for class in self.faces.iter().filter_map(|face| face.class) {
            counts[class] += 1;
        }
        counts
    }

    /// The faces at these indices, in their order; indices beyond the end are passed over.
    pub fn subset(&self, indices: &[usize]) -> Dataset {
        let faces = indices.iter().filter_map(|index| self.faces.get(*index));
        Dataset {
            root: self.root.clone(),
            layout: self.layout,
            classes: self.classes.clone(),
            controls: self.controls.clone(),
            pixel_aligned: self.pixel_aligned,
            faces: faces.cloned().collect(),
            skipped: self.skipped.clone(),
        }
    }

    /// The data as a network with these classes sees it: labels in the network's order, by name or
    /// synonym. Faces that count as another class, or whose votes all went to others, are
    /// skipped; where some votes went to others, the rest makes up the label.
    ///
    /// # Errors
    /// [`DataError::Classes`] when no face remains.
    pub fn for_classes(mut self, classes: &[String]) -> Result<Dataset, DataError> {
        if self.classes == classes {
            return Ok(self);
        }
        let named = |name: &str| canonical(name).map_or_else(|| name.to_owned(), str::to_owned);
        let wanted: Vec<_> = classes.iter().map(|name| named(name)).collect();
        let new_index: Vec<Option<usize>> = self
            .classes
            .iter()
            .map(|old| wanted.iter().position(|new| *new == named(old)))
            .collect();
        let mut skipped = Tally::from(std::mem::take(&mut self.skipped));
        let mut faces = Vec::with_capacity(self.faces.len());
        for mut face in self.faces {
            if let Some(class) = face.class {
                face.class = new_index[class];
                if face.class.is_none() {
                    let reason = format!("the network has no class {}", self.classes[class]);
                    skipped.add(&reason, &face.name);
                    continue;
                }
            }
            // Nobody labelled a face that states its controls alone: it shows no class more than others.
            let label = if face.is_free() {
                Some(vec![1.0 / classes.len() as f32; classes.len()])
            } else {
                relabel(&face.label, &new_index, classes.len())
            };
            match label {
                Some(label) => faces.push(Face { label, ..face }),
                None => skipped.add(
                    "all votes are for classes that the network lacks",
                    &face.name,
                ),
            }
        }
        if faces.is_empty() {
            return Err(DataError::Classes {
                root: self.root,
                has: self.classes,
                wanted: classes.to_vec(),
            });
        }
        Ok(Dataset {
            classes: classes.to_vec(),
            faces,
            skipped: skipped.into_vec(),
            ..self
        })
    }
}

impl Dataset {
    /// The data as a network with these controls sees it: values in the network's order; a control
    /// that the set does not state is 0 where it states others.
    pub fn for_controls(mut self, controls: &[String]) -> Dataset {
        if self.controls == controls {
            return self;
        }
        let find = |name: &String| self.controls.iter().position(|own| own == name);
        let old_index: Vec<Option<usize>> = controls.iter().map(find).collect();
        for face in &mut self.faces {
            face.controls = face.controls.take().map(|values| {
                let value = |old: &Option<usize>| old.map_or(0.0, |old| values[old]);
                old_index.iter().map(value).collect()
            });
        }
        self.controls = controls.to_vec();
        self
    }
}

/// The shares in the new order, made to sum to 1 again; none when nothing is left.
fn relabel(label: &[f32], new_index: &[Option<usize>], count: usize) -> Option<Vec<f32>> {
    let mut shares = vec![0.0; count];
    for (share, index) in label.iter().zip(new_index) {
        if let Some(index) = index {
            shares[*index] += share;
        }
    }
    let sum: f32 = shares.iter().sum();
    (sum > 0.0).then(|| shares.iter().map(|share| share / sum).collect())
}

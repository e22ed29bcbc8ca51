//! Made-up data that several tests share.

use std::path::Path;

use image::{Rgb, RgbImage};

/// The paired set's layout: two drawn subjects with three expressions each.
pub fn paired_tree(root: &Path) {
    let mut table = "file,subject,source,expression,intensity,sample,left_eye_x,left_eye_y,right_eye_x,right_eye_y,sex\n".to_owned();
    for (subject, sex) in [("a", "female"), ("b", "male")] {
        for (i, expression) in ["neutral", "happiness", "fear"].iter().enumerate() {
            let file = format!("{subject}/{expression}/0.png");
            let path = root.join(&file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            let mouth = 60 + 5 * i as u32;
            let picture = RgbImage::from_fn(96, 96, |x, y| {
                let dark = (30..66).contains(&x) && (mouth..mouth + 6).contains(&y);
                Rgb([if dark { 30 } else { 180 }, 120, 90])
            });
            picture.save(&path).expect("saved");
            table.push_str(&format!(
                "{file},{subject},made,{expression},1.0,0,62,38,34,38,{sex}\n"
            ));
        }
    }
    std::fs::write(root.join("manifest.csv"), table).expect("written");
}

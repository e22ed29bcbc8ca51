//! What a picture file says of where its picture comes from, apart from the pixels: XMP packets and the boxes of
//! content credentials (C2PA's JUMBF); read from one file and written into the next, never verified.

use crate::mark::{contains, is_marked_here, xmp, xmp_within};

/// The keyword under which a PNG file carries XMP.
const PNG_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

/// The name under which a JPEG file carries XMP.
const JPEG_NAME: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The most bytes of a JPEG segment after its marker.
const MAX_SEGMENT: usize = 0xffff;

/// What stands before the part of a box in a JPEG segment: its length (2), "JP", the box's number (2) and that of
/// the part (4).
const BOX_PART: usize = 10;

/// Length of a box's own header: length (4), kind (4).
const BOX_HEADER: usize = 8;

/// What a file says of its picture's origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// XMP packets, as they are in the file.
    pub xmp: Vec<Vec<u8>>,
    /// Boxes of content credentials, whole.
    pub boxes: Vec<Vec<u8>>,
    /// Whether the file carries our own metadata.
    pub is_ours: bool,
}

impl Claims {
    /// What a JPEG, PNG or WebP file says; of others only whether they carry our metadata.
    pub fn of(bytes: &[u8]) -> Self {
        let mut claims = Self {
            is_ours: is_marked_here(bytes),
            ..Self::default()
        };
        // What is cut short or damaged has said what it has said so far.
        let _ = if bytes.starts_with(&[0xff, 0xd8]) {
            claims.read_jpeg(bytes)
        } else if bytes.starts_with(b"\x89PNG") {
            claims.read_png(bytes)
        } else if bytes.starts_with(b"RIFF") {
            claims.read_webp(bytes)
        } else {
            None
        };
        claims
    }

    /// The same with our metadata: in the first packet where it can be, else in one of its own before it.
    pub fn with_mark(&self) -> Self {
        let mut claims = self.clone();
        if !claims.xmp.iter().any(|packet| is_marked_here(packet)) {
            match claims.xmp.first().and_then(|packet| xmp_within(packet)) {
                Some(packet) => claims.xmp[0] = packet,
                None => claims.xmp.insert(0, xmp().into_bytes()),
            }
        }
        claims.is_ours = true;
        claims
    }

    /// Whether there is XMP that is not only ours.
    pub fn has_other_xmp(&self) -> bool {
        let ours = xmp().into_bytes();
        self.xmp.iter().any(|packet| *packet != ours)
    }

    /// The IPTC terms for the source that the packets state, such as `digitalCapture`, each once.
    pub fn source_types(&self) -> Vec<String> {
        let mut terms: Vec<String> = Vec::new();
        for packet in &self.xmp {
            let text = String::from_utf8_lossy(packet);
            for part in text.split("newscodes/digitalsourcetype/").skip(1) {
                let term: String = part
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                if !term.is_empty() && !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        terms
    }

    /// Whether a box is a store of C2PA manifests.
    pub fn has_content_credentials(&self) -> bool {
        self.boxes.iter().any(|whole| contains(whole, "c2pa"))
    }

    fn read_jpeg(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = 2;
        let mut last = None;
        loop {
            let &[0xff, marker] = bytes.get(at..at + 2)? else {
                return None;
            };
            if marker == 0xff {
                at += 1; // a fill byte
                continue;
            }
            if marker == 0xda {
                return Some(()); // the picture's data
            }
            let length = usize::from(u16::from_be_bytes(
                bytes.get(at + 2..at + 4)?.try_into().ok()?,
            ));
            let body = bytes.get(at + 4..at + 2 + length)?;
            match marker {
                0xe1 if body.starts_with(JPEG_NAME) => {
                    self.xmp.push(body[JPEG_NAME.len()..].to_vec());
                }
                0xeb if body.starts_with(b"JP") => self.read_part(&body[2..], &mut last)?,
                _ => {}
            }
            at += 2 + length;
        }
    }

    /// A part of a box: its number, the part's number, and the box's header before each part's bytes. The parts
    /// of a box follow each other.
    fn read_part(&mut self, part: &[u8], last: &mut Option<[u8; 2]>) -> Option<()> {
        let number: [u8; 2] = part.get(..2)?.try_into().ok()?;
        let part = part.get(6..)?;
        let long = part.get(..4)? == [0, 0, 0, 1];
        let header = if long { 2 * BOX_HEADER } else { BOX_HEADER };
        match self.boxes.last_mut() {
            Some(whole) if *last == Some(number) => whole.extend_from_slice(part.get(header..)?),
            _ => self.boxes.push(part.to_vec()),
        }
        *last = Some(number);
        Some(())
    }

    fn read_png(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = 8;
        loop {
            let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
            let kind = bytes.get(at + 4..at + 8)?;
            let body = bytes.get(at + 8..)?.get(..length)?;
            match kind {
                b"iTXt" if body.starts_with(PNG_KEYWORD) => self.xmp.extend(text_of(body)),
                b"caBX" => self.boxes.push(body.to_vec()),
                b"IEND" => return Some(()),
                _ => {}
            }
            at += 12 + length;
        }
    }

    fn read_webp(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = 12;
        loop {
            let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?) as usize;
            let body = bytes.get(at + 8..)?.get(..length)?;
            match bytes.get(at..at + 4)? {
                b"XMP " => self.xmp.push(body.to_vec()),
                b"C2PA" => self.boxes.push(body.to_vec()),
                _ => {}
            }
            at += 8 + length + length % 2;
        }
    }

    /// As chunks of a PNG file.
    pub(crate) fn png_chunks(&self) -> Vec<u8> {
        let mut chunks = Vec::new();
        for packet in &self.xmp {
            // Not compressed (2 bytes), no language, no translated keyword.
            add_chunk(&mut chunks, b"iTXt", &[PNG_KEYWORD, &[0; 4], packet]);
        }
        for whole in &self.boxes {
            add_chunk(&mut chunks, b"caBX", &[whole]);
        }
        chunks
    }

    /// As segments of a JPEG file. A packet that is too large for one, which no JPEG file can have brought, is
    /// left out.
    pub(crate) fn jpeg_segments(&self) -> Vec<u8> {
        let mut segments = Vec::new();
        let fits = |packet: &&Vec<u8>| 2 + JPEG_NAME.len() + packet.len() <= MAX_SEGMENT;
        for packet in self.xmp.iter().filter(fits) {
            add_segment(&mut segments, 0xe1, &[JPEG_NAME, packet]);
        }
        for (number, whole) in self.boxes.iter().enumerate() {
            let long = whole.starts_with(&[0, 0, 0, 1]);
            let header = if long { 2 * BOX_HEADER } else { BOX_HEADER };
            let Some((header, content)) = whole.split_at_checked(header) else {
                continue;
            };
            let number = (number as u16 + 1).to_be_bytes();
            for (i, part) in content
                .chunks(MAX_SEGMENT - BOX_PART - header.len())
                .enumerate()
            {
                let part_number = (i as u32 + 1).to_be_bytes();
                let parts: [&[u8]; 5] = [b"JP", &number, &part_number, header, part];
                add_segment(&mut segments, 0xeb, &parts);
            }
        }
        segments
    }
}

/// The text of an international text chunk that is not compressed.
fn text_of(body: &[u8]) -> Option<Vec<u8>> {
    let rest = body.get(PNG_KEYWORD.len()..)?;
    if rest.first() != Some(&0) {
        return None;
    }
    // Language and translated keyword, each to its 0.
    let mut parts = rest.get(2..)?.splitn(3, |byte| *byte == 0);
    parts.nth(2).map(<[u8]>::to_vec)
}

fn add_chunk(chunks: &mut Vec<u8>, kind: &[u8; 4], parts: &[&[u8]]) {
    let body = parts.concat();
    chunks.extend_from_slice(&(body.len() as u32).to_be_bytes());
    let start = chunks.len();
    chunks.extend_from_slice(kind);
    chunks.extend_from_slice(&body);
    let sum = crc32(&chunks[start..]);
    chunks.extend_from_slice(&sum.to_be_bytes());
}

fn add_segment(segments: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let body = parts.concat();
    segments.extend_from_slice(&[0xff, marker]);
    segments.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
    segments.extend_from_slice(&body);
}

/// PNG's checksum, bit by bit: the texts are short.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

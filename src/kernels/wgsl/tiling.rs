//! How maps are divided among threads and workgroups.

use crate::kernels::spec::ELEMENT_THREADS;

/// Rows of pixels of a tile of the ConvFLU's convolutions.
const TILE_H: usize = 4;

/// Workgroups for a thread for each of so many numbers of so many images.
pub fn element_groups(numbers: usize, images: usize) -> [usize; 3] {
    [numbers.div_ceil(ELEMENT_THREADS), images, 1]
}

/// The largest of equal parts of at most `most` that `count` divides into.
pub fn equal_part(count: usize, most: usize) -> usize {
    count.div_ceil(count.div_ceil(most))
}

/// Height and width of a map as the ConvFLU's convolutions tile it, by four rows of pixels: with a 1x1
/// kernel the pixels' places do not matter, so that a map of a multiple of four pixels is seen as four
/// rows.
pub fn tiled_map(height: usize, width: usize, side: usize) -> [usize; 2] {
    let map = height * width;
    if side == 1 && map.is_multiple_of(TILE_H) {
        [TILE_H, map / TILE_H]
    } else {
        [height, width]
    }
}

/// Tiles of so many columns that a map has.
pub fn tiles(height: usize, width: usize, tile_width: usize) -> usize {
    height.div_ceil(TILE_H) * width.div_ceil(tile_width)
}

/// Pixels of a tile with its halo.
pub fn span(tile_width: usize, side: usize) -> usize {
    (TILE_H + side - 1) * (tile_width + side - 1)
}

/// Columns of a tile of a map of so many columns, for square kernels of `side`.
pub fn tile_width(width: usize, side: usize) -> usize {
    equal_part(width, if side == 1 { 16 } else { 12 })
}

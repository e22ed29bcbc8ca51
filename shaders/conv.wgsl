// The fused convolution: convolution (or transposed convolution) with the BatchNorm folded into its
// weights, bias, shortcut, activation and, as a variant, the 2x2 max-pool.
//
// An implicit product of matrices. A block is 2 x 2 output pixels; a thread holds UNITS blocks, one
// below the other, by 4 * QUADS output channels. A workgroup takes TILE_W by TILE_H threads of one
// map, of IMAGES images. Split-K: where the maps are too small to fill a workgroup, SPLITS threads
// share their blocks and split the input channels. The lines of the inner loop are written by
// src/kernels/wgsl/conv/inner_loop.rs, since they depend on the kernel: no branch and no index in them.
//
// in:  x        [batch, x_channels, height, width], of which the first `inputs` are read   f32
//      weights  [in channel, tap, out channel / 4] vec4, then [out channel / 4] vec4 of biases
//      shortcut (variant)  as out, before the max-pool
// out: out      [batch, outputs, out_height, out_width], halved by the max-pool
//
// Workgroup memory: CHUNK input channels of the tile with its halo, and their weights; with SPLITS
// 64 bytes a thread for their sums; at most 16 KiB. Bank conflicts: threads of a row read neighbouring
// cells of the tile (a row that is no multiple of the banks may meet the next one's), and all threads
// (with SPLITS, all of a split) the same weight. Global reads of x run along its rows.

struct Sizes {
    batch: u32,
    inputs: u32,
    height: u32,
    width: u32,
    outputs: u32,
    slope: f32, // of the activation below zero: 1 for none, 0 for ReLU
    out_width: u32, // before the max-pool
    x_channels: u32,
}

alias Cell = {{cell_type}};
const CELL: u32 = {{cell}}u; // pixels of a cell of the tile
const BLOCK: u32 = {{block}}u; // rows (and columns) of inputs from a block to the next
const PAD: u32 = {{pad}}u; // inputs that a block reads before its own
const TAPS: u32 = {{taps}}u;
const UNITS: u32 = {{units}}u;
const QUADS: u32 = {{quads}}u;
const TILE_W: u32 = {{tile_w}}u;
const TILE_H: u32 = {{tile_h}}u;
const IMAGES: u32 = {{images}}u;
const SPLITS: u32 = {{splits}}u;
const PER_SPLIT: u32 = TILE_W * TILE_H * IMAGES;
const THREADS: u32 = PER_SPLIT * SPLITS;
const CHUNK: u32 = {{chunk}}u; // input channels staged at a time
const ROW_STRIDE: u32 = {{row_stride}}u; // cells of a row of the tile with its halo
const SPAN: u32 = {{span}}u; // cells of a tile with its halo

var<storage, {{read}}> x: array<f32>;
var<storage, {{read}}> weights: array<vec4<f32>>;
var<storage, read_write> out: array<f32>;
{{if_shortcut}}var<storage, {{read}}> shortcut: array<f32>;
var<uniform> sizes: Sizes;

var<workgroup> tile: array<Cell, {{tile}}>;
var<workgroup> staged: array<vec4<f32>, {{staged}}>;
{{if_split}}var<workgroup> partial: array<vec4<f32>, {{partial}}>;

// The input at a row and column, zero outside: left of and above the map these wrap round to huge
// numbers, which are outside as well.
fn input_at(map: u32, row: u32, column: u32) -> f32 {
    let v = x[map + min(row, sizes.height - 1u) * sizes.width + min(column, sizes.width - 1u)];
    return select(0.0, v, row < sizes.height && column < sizes.width);
}

// Before the max-pool.
fn out_height() -> u32 {
    return {{out_height}};
}

fn activation(v: vec4<f32>) -> vec4<f32> {
    return select(sizes.slope * v, v, v > vec4<f32>(0.0));
}

{{if_shortcut}}fn shortcut_at(i: u32, right: bool, below: bool) -> vec4<f32> {
{{if_shortcut}}    var v = vec4<f32>(shortcut[i], 0.0, 0.0, 0.0);
{{if_shortcut}}    if right { v.y = shortcut[i + 1u]; }
{{if_shortcut}}    if below { v.z = shortcut[i + sizes.out_width]; }
{{if_shortcut}}    if right && below { v.w = shortcut[i + sizes.out_width + 1u]; }
{{if_shortcut}}    return v;
{{if_shortcut}}}

// Where a block goes: its image, and its first pixel before the max-pool.
struct Place {
    image: u32,
    row: u32,
    column: u32,
}

// One channel of a block: all of its pixels that lie in the map.
fn store(place: Place, channel: u32, sums: vec4<f32>) {
    let map = place.image * sizes.outputs + channel;
    let i = (map * out_height() + place.row) * sizes.out_width + place.column;
    let right = place.column + 1u < sizes.out_width;
    let below = place.row + 1u < out_height();
    var v = sums;
{{if_shortcut}}    v += shortcut_at(i, right, below);
    v = activation(v);
{{if_map}}    out[i] = v.x;
{{if_map}}    if right { out[i + 1u] = v.y; }
{{if_map}}    if below { out[i + sizes.out_width] = v.z; }
{{if_map}}    if right && below { out[i + sizes.out_width + 1u] = v.w; }
{{if_pool}}    if right && below {
{{if_pool}}        let pooled_row = map * (out_height() / 2u) + place.row / 2u;
{{if_pool}}        out[pooled_row * (sizes.out_width / 2u) + place.column / 2u] = max(max(v.x, v.y), max(v.z, v.w));
{{if_pool}}    }
}

// Four channels of a block, a pixel a column; unit: of the thread, quad: of the workgroup.
fn store_block(first: Place, unit: u32, first_quad: u32, quad: u32, sums: mat4x4<f32>) {
    let place = Place(first.image, first.row + 2u * unit, first.column);
    if place.image >= sizes.batch || place.row >= out_height() || place.column >= sizes.out_width {
        return;
    }
    let quads = (sizes.outputs + 3u) / 4u;
    let bias = weights[sizes.inputs * TAPS * quads + first_quad + quad];
    let channels = transpose(sums + mat4x4<f32>(bias, bias, bias, bias));
    let channel = (first_quad + quad) * 4u;
    store(place, channel, channels[0]);
    if channel + 1u < sizes.outputs { store(place, channel + 1u, channels[1]); }
    if channel + 2u < sizes.outputs { store(place, channel + 2u, channels[2]); }
    if channel + 3u < sizes.outputs { store(place, channel + 3u, channels[3]); }
}

{{if_split}}// The sums of a block over all splits, in its first one. Called by all threads.
{{if_split}}fn over_splits(thread: u32, sums: mat4x4<f32>) -> mat4x4<f32> {
{{if_split}}    workgroupBarrier();
{{if_split}}    partial[thread] = sums[0];
{{if_split}}    partial[THREADS + thread] = sums[1];
{{if_split}}    partial[2u * THREADS + thread] = sums[2];
{{if_split}}    partial[3u * THREADS + thread] = sums[3];
{{if_split}}    workgroupBarrier();
{{if_split}}    var all = sums;
{{if_split}}    for (var other = thread + PER_SPLIT; other < THREADS; other += PER_SPLIT) {
{{if_split}}        all += mat4x4<f32>(
{{if_split}}            partial[other],
{{if_split}}            partial[THREADS + other],
{{if_split}}            partial[2u * THREADS + other],
{{if_split}}            partial[3u * THREADS + other],
{{if_split}}        );
{{if_split}}    }
{{if_split}}    return all;
{{if_split}}}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let column = thread % TILE_W;
    let row = thread / TILE_W % TILE_H * UNITS;
    let image = thread / (TILE_W * TILE_H) % IMAGES;
    let split = thread / PER_SPLIT;
    let tiles_x = (sizes.out_width + 2u * TILE_W - 1u) / (2u * TILE_W);
    let left = group.x % tiles_x * TILE_W;
    let top = group.x / tiles_x * TILE_H * UNITS;
    let first_image = group.z * IMAGES;
    let quads = (sizes.outputs + 3u) / 4u;
    let first_quad = group.y * QUADS;
    let in_map = sizes.height * sizes.width;

    // Sums of quad q, unit u and pixel p: s<q>_<u>_<p>, a vec4 of four channels.
{{zero_sums}}
    let first_cell = (split * IMAGES + image) * SPAN + row * BLOCK * ROW_STRIDE + column;
    for (var first = 0u; first < sizes.inputs; first += CHUNK) {
        let count = min(CHUNK, sizes.inputs - first);
        workgroupBarrier();
        for (var i = thread; i < count * IMAGES * SPAN; i += THREADS) {
            let spot = i % SPAN;
            // Images beyond the batch repeat the last one, and are not stored.
            let from_image = min(first_image + i / SPAN % IMAGES, sizes.batch - 1u);
            let map = (from_image * sizes.x_channels + first + i / (IMAGES * SPAN)) * in_map;
            let cell_row = top * BLOCK + spot / ROW_STRIDE - PAD;
            let cell_column = left * BLOCK + spot % ROW_STRIDE * CELL - PAD;
            tile[i] = {{cell_at}};
        }
        for (var i = thread; i < count * TAPS * QUADS; i += THREADS) {
            staged[i] = weights[(first * TAPS + i / QUADS) * quads + first_quad + i % QUADS];
        }
        workgroupBarrier();
        var t = first_cell;
        for (var k = split; k < count; k += SPLITS) {
            let w = k * TAPS * QUADS;
            // The window's inputs by row and cell, i<row>_<cell>, then for each tap its weight of
            // each quad and the sums that it reaches.
{{add_channel}}
            t += SPLITS * IMAGES * SPAN;
        }
    }

    let place = Place(first_image + image, (top + row) * 2u, (left + column) * 2u);
{{store_sums}}
}

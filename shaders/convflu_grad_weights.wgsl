// Fourth of the backward kernels of one direction of a ConvFLU pair: the gradients of its weights, as
// products of the pre-activations' gradients with what the convolutions read, over batch and pixels.
//
// The weights are six squares of channels by channels: W_r of x, W_r of y, W_z of x, W_z of y, U
// (of x), W (of r . y). A workgroup takes four times QUADS output channels by INPUTS input channels of
// one square, over every SPLITS-th tile of TILE_H x TILE_W pixels. A thread holds four output
// channels and SUMS / TAPS input channels, with all taps; a 3x3 window slides along a row of the tile.
// convflu_grad_sums.wgsl adds the splits up.
//
// in:  deltas   [of h, of z, of r][batch, channels, height, width]  f32; gates  [r_x, z_x, r_y, z_y]
//      of such maps; own, other  x and y, such a map each
// out: partials [split, square, in channel, tap, out channel / 4] vec4 of four output channels
// Workgroup memory: a tile of the deltas, and one of the inputs with its halo; at most 16 KiB. Odd
// row strides keep threads of neighbouring channels on different banks.

struct Sizes {
    batch: u32,
    channels: u32,
    height: u32,
    width: u32,
    r: u32, // where this direction's r starts in the gates
    splits: u32,
}

const TILE_H: u32 = {{tile_h}}u;
const TILE_W: u32 = {{tile_w}}u;
const PIXELS: u32 = TILE_H * TILE_W;
const QUADS: u32 = {{quads}}u; // quads of output channels of a workgroup
const ROWS: u32 = {{rows}}u; // rows of threads: input channels of a workgroup, or quarters of them
const HALO: u32 = {{halo}}u; // 0 or 1: kernel of 1 or 3
const SIDE: u32 = 2u * HALO + 1u;
const TAPS: u32 = SIDE * SIDE;
const SUMS: u32 = {{sums}}u; // of a thread: nine taps of one input, or one tap of four inputs
const INPUTS: u32 = ROWS * (SUMS / TAPS); // input channels of a workgroup
const SPAN_W: u32 = TILE_W + 2u * HALO;
const SPAN: u32 = SPAN_W * (TILE_H + 2u * HALO); // pixels of a tile with its halo
const DELTA_PITCH: u32 = PIXELS | 1u;
const INPUT_PITCH: u32 = SPAN | 1u;
const THREADS: u32 = {{threads}}u;
const SQUARES: u32 = 6u;
const OF_LEAK: u32 = 5u; // the square of W

var<storage, {{read}}> deltas: array<f32>;
var<storage, {{read}}> gates: array<f32>;
var<storage, {{read}}> own: array<f32>;
var<storage, {{read}}> other: array<f32>;
var<storage, read_write> partials: array<vec4<f32>>;
var<uniform> sizes: Sizes;

var<workgroup> delta_tile: array<vec4<f32>, {{delta_tile}}>; // four output channels each
var<workgroup> input_tile: array<f32, {{input_tile}}>;

// What the convolution of a square reads.
fn input_at(square: u32, i: u32) -> f32 {
    if square % 2u == 0u {
        return own[i];
    }
    if square == OF_LEAK {
        return other[i] * gates[sizes.r + i];
    }
    return other[i];
}

// A tile's origin: its image, row and column.
struct Origin {
    image: u32,
    top: u32,
    left: u32,
}

fn stage_deltas(thread: u32, block: u32, origin: Origin, first_out: u32) {
    let map = sizes.height * sizes.width;
    let first = (block * sizes.batch + origin.image) * sizes.channels;
    for (var i = thread; i < PIXELS * QUADS; i += THREADS) {
        let quad = i / PIXELS;
        let pixel = i % PIXELS;
        let py = origin.top + pixel / TILE_W;
        let px = origin.left + pixel % TILE_W;
        let out = first_out + 4u * quad;
        var v = vec4<f32>();
        if py < sizes.height && px < sizes.width {
            let p = (first + out) * map + py * sizes.width + px;
            if out < sizes.channels { v.x = deltas[p]; }
            if out + 1u < sizes.channels { v.y = deltas[p + map]; }
            if out + 2u < sizes.channels { v.z = deltas[p + 2u * map]; }
            if out + 3u < sizes.channels { v.w = deltas[p + 3u * map]; }
        }
        delta_tile[quad * DELTA_PITCH + pixel] = v;
    }
}

fn stage_inputs(thread: u32, square: u32, origin: Origin, first_input: u32) {
    let map = sizes.height * sizes.width;
    for (var i = thread; i < SPAN * INPUTS; i += THREADS) {
        let input = first_input + i / SPAN;
        let spot = i % SPAN;
        // Left of and above the map these wrap round to huge numbers: outside as well.
        let py = origin.top + spot / SPAN_W - HALO;
        let px = origin.left + spot % SPAN_W - HALO;
        var v = 0.0;
        if input < sizes.channels && py < sizes.height && px < sizes.width {
            let channel = origin.image * sizes.channels + input;
            v = input_at(square, channel * map + py * sizes.width + px);
        }
        input_tile[i / SPAN * INPUT_PITCH + spot] = v;
    }
}

// Three inputs above each other.
fn column(t: u32) -> vec3<f32> {
    return vec3<f32>(input_tile[t], input_tile[t + SPAN_W], input_tile[t + 2u * SPAN_W]);
}

// A tile of a 3x3 kernel: nine taps of one input channel.
fn add_tile_3(sums: ptr<function, array<vec4<f32>, 9>>, quad: u32, row: u32) {
    for (var y = 0u; y < TILE_H; y++) {
        let t = row * INPUT_PITCH + y * SPAN_W;
        var left = column(t);
        var middle = column(t + 1u);
        for (var x = 0u; x < TILE_W; x++) {
            let right = column(t + x + 2u);
            let d = delta_tile[quad * DELTA_PITCH + y * TILE_W + x];
            (*sums)[0] += d * left.x;
            (*sums)[1] += d * middle.x;
            (*sums)[2] += d * right.x;
            (*sums)[3] += d * left.y;
            (*sums)[4] += d * middle.y;
            (*sums)[5] += d * right.y;
            (*sums)[6] += d * left.z;
            (*sums)[7] += d * middle.z;
            (*sums)[8] += d * right.z;
            left = middle;
            middle = right;
        }
    }
}

// A tile of a 1x1 kernel: four input channels, ROWS apart.
fn add_tile_1(sums: ptr<function, array<vec4<f32>, 9>>, quad: u32, row: u32) {
    for (var p = 0u; p < PIXELS; p++) {
        let d = delta_tile[quad * DELTA_PITCH + p];
        let t = row * INPUT_PITCH + p;
        (*sums)[0] += d * input_tile[t];
        (*sums)[1] += d * input_tile[t + ROWS * INPUT_PITCH];
        (*sums)[2] += d * input_tile[t + 2u * ROWS * INPUT_PITCH];
        (*sums)[3] += d * input_tile[t + 3u * ROWS * INPUT_PITCH];
    }
}

// Where a thread's sums go: the first input channel of the split's square, the thread's first input
// channel, its quad of output channels, and all quads.
struct Place {
    of_square: u32,
    input: u32,
    quad: u32,
    quads: u32,
}

fn store(place: Place, i: u32, sum: vec4<f32>) {
    let input = place.input + i / TAPS * ROWS;
    if input < sizes.channels {
        partials[((place.of_square + input) * TAPS + i % TAPS) * place.quads + place.quad] = sum;
    }
}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channels = sizes.channels;
    let split = group.x;
    let square = group.z;
    // W_r and W_z take the deltas of r and of z, U and W those of h.
    let block = 2u - square / 2u;
    let input_tiles = (channels + INPUTS - 1u) / INPUTS;
    let first_out = group.y / input_tiles * QUADS * 4u;
    let first_input = group.y % input_tiles * INPUTS;
    let quad = thread % QUADS;
    let row = thread / QUADS;

    let tiles_x = (sizes.width + TILE_W - 1u) / TILE_W;
    let tiles = (sizes.height + TILE_H - 1u) / TILE_H * tiles_x;
    var sums = array<vec4<f32>, 9>();
    for (var tile = split; tile < sizes.batch * tiles; tile += sizes.splits) {
        let spot = tile % tiles;
        let origin = Origin(tile / tiles, spot / tiles_x * TILE_H, spot % tiles_x * TILE_W);
        workgroupBarrier();
        stage_deltas(thread, block, origin, first_out);
        stage_inputs(thread, square, origin, first_input);
        workgroupBarrier();
        add_tile_{{side}}(&sums, quad, row);
    }

    let all_quads = (channels + 3u) / 4u;
    let out_quad = first_out / 4u + quad;
    if out_quad >= all_quads {
        return;
    }
    let of_square = (split * SQUARES + square) * channels;
    let place = Place(of_square, first_input + row, out_quad, all_quads);
    store(place, 0u, sums[0]);
    store(place, 1u, sums[1]);
    store(place, 2u, sums[2]);
    store(place, 3u, sums[3]);
    if SUMS > 4u {
        store(place, 4u, sums[4]);
        store(place, 5u, sums[5]);
        store(place, 6u, sums[6]);
        store(place, 7u, sums[7]);
        store(place, 8u, sums[8]);
    }
}

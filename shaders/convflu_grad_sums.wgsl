// Last of the backward kernels of one direction of a ConvFLU pair: adds up what the workgroups of
// convflu_grad_weights.wgsl found, into the layouts of the weights.
//
// One thread a quad of output channels.
//
// in:  partials [split, square, in channel, tap, out channel / 4] vec4 of four output channels
// out: d_w_r, d_w_z  [out channel, 2 * in channel, tap]; d_u, d_w  [out channel, in channel, tap]

struct Sizes {
    channels: u32,
    taps: u32,
    splits: u32,
}

var<storage, {{read}}> partials: array<vec4<f32>>;
var<storage, read_write> d_w_r: array<f32>;
var<storage, read_write> d_w_z: array<f32>;
var<storage, read_write> d_u: array<f32>;
var<storage, read_write> d_w: array<f32>;
var<uniform> sizes: Sizes;

fn store(square: u32, out: u32, input: u32, tap: u32, sum: f32) {
    let channels = sizes.channels;
    if out >= channels {
        return;
    }
    let of_two = ((2u * out + square % 2u) * channels + input) * sizes.taps + tap;
    let of_one = (out * channels + input) * sizes.taps + tap;
    switch square {
        case 0u, 1u: { d_w_r[of_two] = sum; }
        case 2u, 3u: { d_w_z[of_two] = sum; }
        case 4u: { d_u[of_one] = sum; }
        default: { d_w[of_one] = sum; }
    }
}

@compute @workgroup_size({{threads}})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channels = sizes.channels;
    let quads = (channels + 3u) / 4u;
    let of_square = channels * sizes.taps * quads;
    let all = 6u * of_square;
    if id.x >= all {
        return;
    }
    var sum = vec4<f32>();
    for (var split = 0u; split < sizes.splits; split++) {
        sum += partials[split * all + id.x];
    }
    let square = id.x / of_square;
    let out = id.x % quads * 4u;
    let tap = id.x / quads % sizes.taps;
    let input = id.x / (quads * sizes.taps) % channels;
    store(square, out, input, tap, sum.x);
    store(square, out + 1u, input, tap, sum.y);
    store(square, out + 2u, input, tap, sum.z);
    store(square, out + 3u, input, tap, sum.w);
}

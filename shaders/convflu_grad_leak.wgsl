// Second of the backward kernels of one direction of a ConvFLU pair: the gradient of h's
// pre-activation through W to what leaked in, r . y, and from there to r's pre-activation and to y.
// The product itself is in shared/tile_product.wgsl.
//
// in:  deltas  [of h, of z, of r][batch, channels, height, width]  f32; gates  [r_x, z_x, r_y, z_y]
//      of such maps; other  y, such a map; w  W [out channel, in channel, tap]
// out: deltas of r; d_other  as y, the part of its gradient that comes through r . y

var<storage, read_write> deltas: array<f32>;
var<storage, {{read}}> gates: array<f32>;
var<storage, {{read}}> other: array<f32>;
var<storage, {{read}}> w: array<f32>;
var<storage, read_write> d_other: array<f32>;

fn blocks_of(part: u32) -> vec2<u32> {
    return vec2<u32>(0u, 1u);
}

fn source_at(block: u32, i: u32) -> f32 {
    return deltas[i];
}

fn weight(out: u32, tap: u32, channel: u32) -> f32 {
    // Beyond the last channel the weight is read, and its sum is not.
    return w[(out * sizes.channels + min(channel, sizes.channels - 1u)) * TAPS + tap];
}

// Of four channels from `row` on. A gradient runs against the convolution: the taps turn round.
fn weights_at(part: u32, block: u32, out: u32, tap: u32, row: u32) -> vec4<f32> {
    let turned = TAPS - 1u - tap;
    return vec4<f32>(
        weight(out, turned, row),
        weight(out, turned, row + 1u),
        weight(out, turned, row + 2u),
        weight(out, turned, row + 3u),
    );
}

fn finish(part: u32, i: u32, sum: f32) {
    let r = gates[sizes.r + i];
    let all = sizes.batch * sizes.channels * sizes.height * sizes.width;
    deltas[2u * all + i] = sum * other[i] * r * (1.0 - r);
    d_other[i] = sum * r;
}


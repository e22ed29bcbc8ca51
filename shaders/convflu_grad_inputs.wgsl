// Third of the backward kernels of one direction of a ConvFLU pair: the gradients of all three
// pre-activations through U, W_z and W_r to x, and through W_z and W_r to y. The product itself is in
// shared/tile_product.wgsl; its parts are x and y.
//
// in:  deltas  [of h, of z, of r][batch, channels, height, width]  f32
//      u  U [out channel, in channel, tap]; w_z, w_r  [out channel, 2 * in channel, tap]
// out: d_own, d_other  gradients of x and y: the sums are added to what is there

var<storage, {{read}}> deltas: array<f32>;
var<storage, {{read}}> u: array<f32>;
var<storage, {{read}}> w_z: array<f32>;
var<storage, {{read}}> w_r: array<f32>;
var<storage, read_write> d_own: array<f32>;
var<storage, read_write> d_other: array<f32>;

// x takes all blocks of the deltas, y those of the gates.
fn blocks_of(part: u32) -> vec2<u32> {
    return vec2<u32>(part, 3u);
}

fn source_at(block: u32, i: u32) -> f32 {
    return deltas[block * sizes.batch * sizes.channels * sizes.height * sizes.width + i];
}

fn weight(part: u32, block: u32, out: u32, tap: u32, channel: u32) -> f32 {
    // Beyond the last channel the weight is read, and its sum is not.
    let own = min(channel, sizes.channels - 1u);
    if block == 0u {
        return u[(out * sizes.channels + own) * TAPS + tap];
    }
    let i = ((2u * out + part) * sizes.channels + own) * TAPS + tap;
    if block == 1u {
        return w_z[i];
    }
    return w_r[i];
}

// Of four channels from `row` on. A gradient runs against the convolution: the taps turn round.
fn weights_at(part: u32, block: u32, out: u32, tap: u32, row: u32) -> vec4<f32> {
    let turned = TAPS - 1u - tap;
    return vec4<f32>(
        weight(part, block, out, turned, row),
        weight(part, block, out, turned, row + 1u),
        weight(part, block, out, turned, row + 2u),
        weight(part, block, out, turned, row + 3u),
    );
}

fn finish(part: u32, i: u32, sum: f32) {
    if part == 0u {
        d_own[i] += sum;
    } else {
        d_other[i] += sum;
    }
}


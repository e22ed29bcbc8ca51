// The head of the decoder: from the last convolution's channels and the input face to the redrawn
// face. out = (d, a) or, with a flow, (d, a, u, v):
//     mask = sigmoid(a), delta = mask . d, flow = scale * (u, v)
//     face = delta + input, re-sampled with a flow: bilinear, the border repeated
//
// A thread takes one pixel of one face, all channels; neighbouring threads read and write
// neighbouring pixels.
//
// in:  x      [1 or batch, channels, height, width]              f32, the input face
//      last   [batch, channels + 1 (+ 2), height, width]         the last convolution's output
// out: face, delta  [batch, channels, height, width]
//      mask   [batch, 1, height, width]
//      flow   (variant)  [batch, 2, height, width]               x, then y, in units of the width

struct Sizes {
    channels: u32,
    height: u32,
    width: u32,
    x_stride: u32, // from an image of x to the next; 0 where all share one
    scale: f32, // from the last convolution to units of the width
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

const THREADS: u32 = {{threads}}u;

@group(0) @binding(0) var<storage, {{read}}> x: array<f32>;
@group(0) @binding(1) var<storage, {{read}}> last: array<f32>;
@group(0) @binding(2) var<storage, read_write> face: array<f32>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> mask: array<f32>;
{{if_flow}}@group(0) @binding(5) var<storage, read_write> flow: array<f32>;
@group(0) @binding({{sizes_binding}}) var<uniform> sizes: Sizes;

{{if_flow}}// Four neighbours in a map and how much each counts: left above, right above, left below, right below.
{{if_flow}}struct Neighbours {
{{if_flow}}    at: vec4<u32>,
{{if_flow}}    weight: vec4<f32>,
{{if_flow}}}

{{if_flow}}// Around a place in pixels, which is drawn into the map.
{{if_flow}}fn neighbours(place: vec2<f32>) -> Neighbours {
{{if_flow}}    let end = vec2<f32>(f32(sizes.width), f32(sizes.height)) - 1.0;
{{if_flow}}    let inside = clamp(place, vec2<f32>(0.0), end);
{{if_flow}}    let low = floor(inside);
{{if_flow}}    let f = inside - low;
{{if_flow}}    let a = vec2<u32>(low);
{{if_flow}}    let b = vec2<u32>(min(low + 1.0, end));
{{if_flow}}    let rows = vec2<u32>(a.y, b.y) * sizes.width;
{{if_flow}}    // A flow that is not a number must not lead out of the map.
{{if_flow}}    let corners = vec4<u32>(rows.x + a.x, rows.x + b.x, rows.y + a.x, rows.y + b.x);
{{if_flow}}    let at = min(corners, vec4<u32>(sizes.height * sizes.width - 1u));
{{if_flow}}    let g = 1.0 - f;
{{if_flow}}    return Neighbours(at, vec4<f32>(g.x * g.y, f.x * g.y, g.x * f.y, f.x * f.y));
{{if_flow}}}

fn sigmoid(v: f32) -> f32 {
    return 1.0 / (1.0 + exp(min(-v, 80.0)));
}

@compute @workgroup_size({{threads}})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let pixel = group.x * THREADS + thread;
    let image = group.y;
    let map = sizes.height * sizes.width;
    if pixel >= map {
        return;
    }
    let from_x = image * sizes.x_stride;
    let from_last = image * (sizes.channels + {{beside_d}}u) * map + pixel;
    let a = sigmoid(last[from_last + sizes.channels * map]);
    mask[image * map + pixel] = a;
{{if_flow}}    let from_flow = from_last + (sizes.channels + 1u) * map;
{{if_flow}}    let moved = sizes.scale * vec2<f32>(last[from_flow], last[from_flow + map]);
{{if_flow}}    flow[image * 2u * map + pixel] = moved.x;
{{if_flow}}    flow[(image * 2u + 1u) * map + pixel] = moved.y;
{{if_flow}}    let own = vec2<f32>(f32(pixel % sizes.width), f32(pixel / sizes.width));
{{if_flow}}    let near = neighbours(own + moved * vec2<f32>(f32(sizes.width), f32(sizes.height)));
    for (var k = 0u; k < sizes.channels; k++) {
        let here = (image * sizes.channels + k) * map + pixel;
        let change = a * last[from_last + k * map];
        let plane = from_x + k * map;
{{if_still}}        let v = x[plane + pixel];
{{if_flow}}        let four = vec4<f32>(x[plane + near.at.x], x[plane + near.at.y], x[plane + near.at.z], x[plane + near.at.w]);
{{if_flow}}        let v = dot(four, near.weight);
        delta[here] = change;
        face[here] = v + change;
    }
}

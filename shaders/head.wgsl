// The head of the decoder: from the last convolution's channels and the input face to the synthesised
// face. Three variants by the channels of the last convolution:
//     residual  (d, a)           mask = sigmoid(a), delta = mask . d, face = input + delta
//     warp      (d, a, u, v)     the same, the input re-sampled along flow = flow_scale * (u, v):
//                                bilinear, the border repeated
//     blend     (c, a, u, v, s)  delta = (1 - mask) . smooth(s) + mask . c,
//                                face = (1 - mask) . moved + delta;
//                                smooth: the mean over a square (less of it at the border), scaled
//
// A thread takes one pixel of one face, all channels; neighbouring threads read and write
// neighbouring pixels.
//
// in:  x      [1 or batch, channels, height, width]              f32, the input face
//      last   [batch, head channels, height, width]              the last convolution's output
// out: face, delta  [batch, channels, height, width]
//      mask   [batch, 1, height, width]
//      flow   (variant)  [batch, 2, height, width]               x, then y, in units of the width

struct Sizes {
    channels: u32,
    height: u32,
    width: u32,
    x_stride: u32, // from an image of x to the next; 0 where all share one
    flow_scale: f32, // from the last convolution to units of the width
    shade_scale: f32, // from the last convolution to values of the face
}

const THREADS: u32 = {{threads}}u;
{{if_blend}}const REACH: i32 = {{reach}}; // of the square of smooth(s), to each side

var<storage, {{read}}> x: array<f32>;
var<storage, {{read}}> last: array<f32>;
var<storage, read_write> face: array<f32>;
var<storage, read_write> delta: array<f32>;
var<storage, read_write> mask: array<f32>;
{{if_flow}}var<storage, read_write> flow: array<f32>;
var<uniform> sizes: Sizes;

{{if_flow}}// Four neighbours in a map and how much each counts: left above, right above, left below, right below.
{{if_flow}}struct Neighbours {
{{if_flow}}    at: vec4<u32>,
{{if_flow}}    weight: vec4<f32>,
{{if_flow}}}

{{if_flow}}// Around a place in pixels, which is clamped to the map.
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

{{if_blend}}// smooth(s) at a pixel of the plane that begins at `plane`.
{{if_blend}}fn smooth_at(plane: u32, column: i32, row: i32) -> f32 {
{{if_blend}}    let low = max(vec2<i32>(column, row) - REACH, vec2<i32>(0));
{{if_blend}}    let end = vec2<i32>(i32(sizes.width), i32(sizes.height)) - 1;
{{if_blend}}    let high = min(vec2<i32>(column, row) + REACH, end);
{{if_blend}}    var sum = 0.0;
{{if_blend}}    for (var y = low.y; y <= high.y; y++) {
{{if_blend}}        let line = plane + u32(y) * sizes.width;
{{if_blend}}        for (var x = low.x; x <= high.x; x++) {
{{if_blend}}            sum += last[line + u32(x)];
{{if_blend}}        }
{{if_blend}}    }
{{if_blend}}    let count = (high - low) + 1;
{{if_blend}}    return sizes.shade_scale * sum / f32(count.x * count.y);
{{if_blend}}}

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
{{if_residual}}    let head_channels = sizes.channels + 1u;
{{if_warp}}    let head_channels = sizes.channels + 3u;
{{if_blend}}    let head_channels = 2u * sizes.channels + 3u;
    let from_last = image * head_channels * map + pixel;
    let a = sigmoid(last[from_last + sizes.channels * map]);
    mask[image * map + pixel] = a;
{{if_flow}}    let from_flow = from_last + (sizes.channels + 1u) * map;
{{if_flow}}    let moved = sizes.flow_scale * vec2<f32>(last[from_flow], last[from_flow + map]);
{{if_flow}}    flow[image * 2u * map + pixel] = moved.x;
{{if_flow}}    flow[(image * 2u + 1u) * map + pixel] = moved.y;
{{if_flow}}    let own = vec2<f32>(f32(pixel % sizes.width), f32(pixel / sizes.width));
{{if_flow}}    let near = neighbours(own + moved * vec2<f32>(f32(sizes.width), f32(sizes.height)));
    for (var k = 0u; k < sizes.channels; k++) {
        let here = (image * sizes.channels + k) * map + pixel;
        var change = a * last[from_last + k * map];
        let plane = from_x + k * map;
{{if_residual}}        var v = x[plane + pixel];
{{if_flow}}        let four = vec4<f32>(x[plane + near.at.x], x[plane + near.at.y], x[plane + near.at.z], x[plane + near.at.w]);
{{if_flow}}        var v = dot(four, near.weight);
{{if_blend}}        let shades = from_last - pixel + (sizes.channels + 3u + k) * map;
{{if_blend}}        let column = i32(pixel % sizes.width);
{{if_blend}}        change += (1.0 - a) * smooth_at(shades, column, i32(pixel / sizes.width));
{{if_blend}}        v *= 1.0 - a;
        delta[here] = change;
        face[here] = v + change;
    }
}

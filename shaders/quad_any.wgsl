
// Four adjacent pixels of any map: each has a place of its own, since the four may lie in two
// images. (Part of convflu_1x1.wgsl; quad_aligned.wgsl serves maps of a multiple of four pixels.)

const NOWHERE: u32 = 0xffffffffu;

// Indices of the four pixels in channel 0 of their images.
fn place_of(pixel: u32) -> vec4<u32> {
    let four = vec4<u32>(pixel, pixel + 1u, pixel + 2u, pixel + 3u);
    let image = four / sizes.map;
    let place = image * (sizes.channels * sizes.map) + four - image * sizes.map;
    return select(vec4<u32>(NOWHERE), place, four < vec4<u32>(sizes.pixels));
}

fn load_x(place: vec4<u32>, channel: u32) -> vec4<f32> {
    let there = channel * sizes.map;
    var v = vec4<f32>();
    if place.x != NOWHERE { v.x = x[place.x + there]; }
    if place.y != NOWHERE { v.y = x[place.y + there]; }
    if place.z != NOWHERE { v.z = x[place.z + there]; }
    if place.w != NOWHERE { v.w = x[place.w + there]; }
    return v;
}

fn load_y(place: vec4<u32>, channel: u32) -> vec4<f32> {
    let there = channel * sizes.map;
    var v = vec4<f32>();
    if place.x != NOWHERE { v.x = y[place.x + there]; }
    if place.y != NOWHERE { v.y = y[place.y + there]; }
    if place.z != NOWHERE { v.z = y[place.z + there]; }
    if place.w != NOWHERE { v.w = y[place.w + there]; }
    return v;
}

fn store_x(place: vec4<u32>, channel: u32, v: vec4<f32>) {
    let there = channel * sizes.map;
    if place.x != NOWHERE { out_x[place.x + there] = v.x; }
    if place.y != NOWHERE { out_x[place.y + there] = v.y; }
    if place.z != NOWHERE { out_x[place.z + there] = v.z; }
    if place.w != NOWHERE { out_x[place.w + there] = v.w; }
}

fn store_y(place: vec4<u32>, channel: u32, v: vec4<f32>) {
    let there = channel * sizes.map;
    if place.x != NOWHERE { out_y[place.x + there] = v.x; }
    if place.y != NOWHERE { out_y[place.y + there] = v.y; }
    if place.z != NOWHERE { out_y[place.z + there] = v.z; }
    if place.w != NOWHERE { out_y[place.w + there] = v.w; }
}

{{if_gates}}fn store_gate(place: vec4<u32>, channel: u32, gate: u32, v: vec4<f32>) {
{{if_gates}}    let there = gate * sizes.pixels * sizes.channels + channel * sizes.map;
{{if_gates}}    if place.x != NOWHERE { gates[place.x + there] = v.x; }
{{if_gates}}    if place.y != NOWHERE { gates[place.y + there] = v.y; }
{{if_gates}}    if place.z != NOWHERE { gates[place.z + there] = v.z; }
{{if_gates}}    if place.w != NOWHERE { gates[place.w + there] = v.w; }
{{if_gates}}}

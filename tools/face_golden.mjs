// Runs the package's own networks with TensorFlow.js and writes tests/golden/{blazeface,facemesh,facemesh-lips}.safetensors:
// what src/face/{blazeface,facemesh,lips}.rs have to answer for blazeface.png and facemesh.png; and
// tests/golden/masked.json: what src/evaluator/masked.rs has to answer for the middle 112 x 112 of evaluators.png.
//
//     npm i @tensorflow/tfjs@4.22.0 pngjs   (in any folder; run this script from there)
//     node .../tools/face_golden.mjs UNPACKED_HUMAN_MODELS
//
// No test runs this script.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(path.join(process.cwd(), "package.json"));
const tf = require("@tensorflow/tfjs");
const { PNG } = require("pngjs");
const golden = path.join(path.dirname(fileURLToPath(import.meta.url)), "../tests/golden");

async function load(name) {
  const model = path.join(process.argv[2], "models", name);
  const graph = JSON.parse(fs.readFileSync(`${model}.json`));
  const raw = fs.readFileSync(`${model}.bin`);
  return tf.loadGraphModel({
    load: async () => ({
      modelTopology: graph.modelTopology,
      format: graph.format,
      userDefinedMetadata: graph.userDefinedMetadata,
      signature: graph.signature ?? graph.userDefinedMetadata?.signature,
      weightSpecs: graph.weightsManifest[0].weights,
      weightData: raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength),
    }),
  });
}

/** The picture as [1, size, size, 3], 0..255. */
function picture(name, size) {
  const png = PNG.sync.read(fs.readFileSync(path.join(golden, `${name}.png`)));
  const rgb = Float32Array.from({ length: size * size * 3 }, (_, i) => png.data[Math.floor(i / 3) * 4 + (i % 3)]);
  return tf.tensor(rgb, [1, size, size, 3]);
}

function save(name, tensors) {
  const header = {};
  const parts = [];
  let offset = 0;
  for (const [key, tensor] of Object.entries(tensors)) {
    const bytes = Buffer.from(tensor.dataSync().buffer);
    header[key] = { dtype: "F32", shape: tensor.shape.slice(1), data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header).padEnd(512));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  fs.writeFileSync(path.join(golden, `${name}.safetensors`), Buffer.concat([length, json, ...parts]));
  console.log(name, header);
}

const blazeface = (await load("blazeface")).execute(
  picture("blazeface", 256).div(127.5).sub(1),
  ["Identity", "Identity_1", "Identity_2", "Identity_3"],
);
save("blazeface", {
  "fine.scores": blazeface[0], // [512, 1]
  "coarse.scores": blazeface[1], // [384, 1]
  "fine.boxes": blazeface[2], // [512, 16]
  "coarse.boxes": blazeface[3], // [384, 16]
});

const facemesh = (await load("facemesh")).execute(picture("facemesh", 192).div(255), ["Identity_1", "Identity_2"]);
save("facemesh", { presence: facemesh[0], points: facemesh[1] }); // [1], [1404]

const lips = (await load("facemesh-attention")).execute(picture("facemesh", 192).div(255), ["Identity_4", "Identity_3"]);
save("facemesh-lips", { points: lips[0].flatten().expandDims(), lips: lips[1].flatten().expandDims() }); // [1404], [160]

/** The middle of the picture, below row 75 as empty as the network's input can be: 127.5. */
function masked(size) {
  const { data, width, height } = PNG.sync.read(fs.readFileSync(path.join(golden, "evaluators.png")));
  const [left, top] = [(width - size) / 2, (height - size) / 2];
  const at = (x, y, c) => (y < 75 ? data[4 * ((top + y) * width + left + x) + c] : 127.5);
  const value = (i) => at(Math.floor(i / 3) % size, Math.floor(i / 3 / size), i % 3);
  return tf.tensor(Float32Array.from({ length: 3 * size * size }, (_, i) => value(i)), [1, size, size, 3]);
}

const embedding = (await load("mobileface")).execute(masked(112)); // [1, 256]
fs.writeFileSync(path.join(golden, "masked.json"), `${JSON.stringify(Array.from(embedding.dataSync()))}\n`);

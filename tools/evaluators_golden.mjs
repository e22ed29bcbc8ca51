// Runs face-api.js itself and writes tests/golden/evaluators.json: what src/evaluator/ has to answer for
// tests/golden/evaluators.png (150 x 150: Eileen Collins, NASA, public domain) and its middle 112 x 112.
//
//     npm i pngjs   (in any folder; run this script from there)
//     node .../tools/evaluators_golden.mjs UNPACKED_FACE_API
//
// No test runs this script.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { PNG } = require("pngjs");
const golden = path.join(path.dirname(fileURLToPath(import.meta.url)), "../tests/golden");
const root = path.resolve(process.argv[2]);
// The bundle is made for browsers: its part for Node lacks what Node itself brings.
Object.defineProperty(process, "versions", { value: { ...process.versions, node: undefined } });
const faceapi = await import(pathToFileURL(path.join(root, "dist/face-api.esm.js")));
const { tf } = faceapi;
tf.env().setPlatform("node", {
  now: () => performance.now(),
  isTypedArray: (values) => ArrayBuffer.isView(values) && !(values instanceof DataView),
});
faceapi.env.setEnv({ Canvas: class {}, Image: class {}, Video: class {} });
await tf.setBackend("cpu");
await tf.ready();

/** The middle of the picture as [size, size, 3], 0..255. */
function middle(size) {
  const { data, width, height } = PNG.sync.read(fs.readFileSync(path.join(golden, "evaluators.png")));
  const [left, top] = [(width - size) / 2, (height - size) / 2];
  const at = (x, y, c) => data[4 * ((top + y) * width + left + x) + c];
  const pixel = (i) => at(Math.floor(i / 3) % size, Math.floor(i / 3 / size), i % 3);
  return tf.tensor3d(Float32Array.from({ length: 3 * size * size }, (_, i) => pixel(i)), [size, size, 3]);
}

function load(net, model) {
  const file = path.join(root, "model", model);
  const [{ weights }] = JSON.parse(fs.readFileSync(`${file}-weights_manifest.json`));
  const raw = fs.readFileSync(`${file}.bin`);
  net.loadFromWeightMap(tf.io.decodeWeights(new Uint8Array(raw).buffer, weights));
  return net;
}

const expression = load(new faceapi.FaceExpressionNet(), "face_expression_model");
const identity = load(new faceapi.FaceRecognitionNet(), "face_recognition_model");
const answers = {
  // Before the softmax, which says 1 and 0 of so plain a smile.
  expression: Array.from(expression.runNet(await faceapi.toNetInput(middle(112))).dataSync()), // [7]
  identity: Array.from((await identity.forward(middle(150))).dataSync()), // [128]
};
fs.writeFileSync(path.join(golden, "evaluators.json"), `${JSON.stringify(answers)}\n`);
console.log(answers);

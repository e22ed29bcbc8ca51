// face-api.js as its manual shows it: the small detector, then the expression of the largest face. Its
// npm package has no weights; those of its successor's package are the same networks.

import { offer } from './offer.js';

const MODELS = '/libraries/@vladmandic/face-api/model';
const { faceapi } = window;

await offer({
  async load(backend) {
    await faceapi.tf.setBackend(backend);
    await faceapi.tf.ready?.();
    await Promise.all([
      faceapi.nets.tinyFaceDetector.loadFromUri(MODELS),
      faceapi.nets.faceExpressionNet.loadFromUri(MODELS),
    ]);
    return faceapi.tf.getBackend();
  },
  async answer(file) {
    const image = await faceapi.bufferToImage(file);
    const options = new faceapi.TinyFaceDetectorOptions();
    const found = await faceapi.detectSingleFace(image, options).withFaceExpressions();
    if (!found) return null;
    const [{ expression, probability }] = found.expressions.asSortedArray();
    return { expression, probability };
  },
});

// @ts-check
/** @file Everything that can go wrong, each its own class, whose text says what to do. */

/** An error of this package. `code` is stable, `message` is for people. */
export class FersNetError extends Error {
  /** @type {string} */
  static code = 'internal';

  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }

  /** @returns {string} */
  get code() {
    return /** @type {typeof FersNetError} */ (this.constructor).code;
  }
}

/** The file has no bytes. */
export class EmptyPictureError extends FersNetError {
  static code = 'picture-empty';
}

/** The file is none of the formats that are read. */
export class PictureFormatError extends FersNetError {
  static code = 'picture-format';
}

/** More pixels or bytes than are read. */
export class PictureTooLargeError extends FersNetError {
  static code = 'picture-too-large';
}

/** The file ends before the picture does. */
export class TruncatedPictureError extends FersNetError {
  static code = 'picture-truncated';
}

/** The file contradicts its format. */
export class DamagedPictureError extends FersNetError {
  static code = 'picture-damaged';
}

/** A part of a format that is not read. */
export class UnsupportedPictureError extends FersNetError {
  static code = 'picture-unsupported';
}

/** The picture could not be fetched or read from the disk. */
export class PictureUnreachableError extends FersNetError {
  static code = 'picture-unreachable';
  constructor(message = 'The picture could not be read: choose the file again, or another one.') {
    super(message);
  }
}

/** The worker's script did not start. */
export class WorkerMissingError extends FersNetError {
  static code = 'worker-missing';
  constructor(
    message = 'The worker did not start: reload the page. If that does not help, use a current browser, ' +
      'or ask whoever runs this site whether api/worker.js is there.',
  ) {
    super(message);
  }
}

/** The WebAssembly program could not be fetched or started. */
export class ProgramMissingError extends FersNetError {
  static code = 'program-missing';

  /**
   * The error of a program that is there and does not start.
   * @param {unknown} caught
   */
  static notStarted(caught) {
    const reason = caught instanceof Error ? caught.message : String(caught);
    return new ProgramMissingError(
      `The program could not be started (${reason}): reload the page. If that does not help, use a ` +
        'current browser, or ask whoever runs this site whether its files are whole.',
    );
  }
}

/** The weight file could not be fetched. */
export class WeightsMissingError extends FersNetError {
  static code = 'weights-missing';
}

/** The weight file is cut short, altered, or holds something else. */
export class WeightsDamagedError extends FersNetError {
  static code = 'weights-damaged';
}

/** `device` is neither `auto`, `webgpu` nor `cpu`. */
export class UnknownDeviceError extends FersNetError {
  static code = 'device-unknown';

  /** @param {string} wish */
  static of(wish) {
    return new UnknownDeviceError(
      `There is no device "${wish}": use ?device=webgpu or ?device=cpu, or leave it out.`,
    );
  }
}

/** WebGPU did not start. `FersNet.load` then takes the CPU and says so in its notice. */
export class NoWebGpuError extends FersNetError {
  static code = 'device-missing';
}

/** The device stopped working. */
export class DeviceLostError extends FersNetError {
  static code = 'device-lost';
}

/** The program stopped: a mistake of ours, or too little memory. */
export class ProgramCrashedError extends FersNetError {
  static code = 'program-crashed';
  constructor(message = 'The program stopped, perhaps for want of memory: try again, with a smaller picture.') {
    super(message);
  }
}

/** The network of these weights only recognises, and synthesises no face. */
export class CannotRedrawError extends FersNetError {
  static code = 'cannot-redraw';
}

/** A target expression that the network does not know. */
export class UnknownExpressionError extends FersNetError {
  static code = 'expression-unknown';
}

/** The weights of a target are no mixture: none at all, or one outside of 0 to 1. */
export class TargetWeightError extends FersNetError {
  static code = 'target-weight';
}

/** A crop of a size that is not made. */
export class CropSizeError extends FersNetError {
  static code = 'crop-size';
}

/** Something was asked of a network or picture that has been closed. */
export class ClosedError extends FersNetError {
  static code = 'closed';
  constructor(message = 'This network or picture has been closed: load it again.') {
    super(message);
  }
}

const CLASSES = [
  EmptyPictureError,
  PictureFormatError,
  PictureTooLargeError,
  TruncatedPictureError,
  DamagedPictureError,
  UnsupportedPictureError,
  PictureUnreachableError,
  WorkerMissingError,
  ProgramMissingError,
  WeightsMissingError,
  WeightsDamagedError,
  UnknownDeviceError,
  NoWebGpuError,
  DeviceLostError,
  ProgramCrashedError,
  CannotRedrawError,
  UnknownExpressionError,
  TargetWeightError,
  CropSizeError,
  ClosedError,
];

/**
 * The error that a code stands for, after its way through a message.
 * @param {string} code
 * @param {string} message
 * @returns {FersNetError}
 */
export function errorOf(code, message) {
  const Class = CLASSES.find((known) => known.code === code) ?? FersNetError;
  return new Class(message);
}

/**
 * What a caught value says, whatever it is.
 * @param {unknown} caught
 * @returns {FersNetError}
 */
export function asFersNetError(caught) {
  if (caught instanceof FersNetError) return caught;
  if (caught instanceof WebAssembly.RuntimeError || caught instanceof RangeError) {
    return new ProgramCrashedError();
  }
  if (caught instanceof Error) {
    const code = /** @type {{code?: unknown}} */ (caught).code;
    return errorOf(typeof code === 'string' ? code : 'internal', caught.message);
  }
  return new FersNetError(String(caught));
}

// @ts-check
/**
 * @file The messages between a page and the worker, each its own shape.
 *
 * The page asks (each question has an `id`), the worker answers with any number of notices that
 * carry the question's `id` and then exactly one `done` or `failed`. The worker takes one question
 * after the other; `cancel` is heard between two steps of one.
 */

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{x: number, y: number, width: number, height: number}} Box in picture pixels */

/**
 * Where a face lies in its picture.
 * @typedef {object} FacePlace
 * @property {Box} box from the brow to the chin, about; the picture's own size for the whole picture
 * @property {Record<string, Point> | null} landmarks null for the whole picture as the face
 * @property {number} score how sure the detector is, 0 to 1
 * @property {Point[]} corners the aligned square that the network sees: four corners, clockwise
 * @property {number} [id] in a film, the number that the face keeps while it is followed
 */

/** @typedef {'small' | 'dark' | 'overexposed' | 'blurred' | 'turned'} Doubt why an answer may be wrong, as measured on the face (docs/doubt.md) */

/**
 * What a face shows.
 * @typedef {object} Recognition
 * @property {number} expression index of the likeliest class
 * @property {boolean} certain false when the network is not sure
 * @property {Doubt[]} doubts
 * @property {number[]} probabilities one a class, in the order of the classes
 * @property {number[]} controls what the face shows of each control, in their order; 0 or more
 * @property {number} milliseconds
 */

/** @typedef {{width: number, height: number, data: Uint8ClampedArray<ArrayBuffer>}} Pixels RGBA */

/**
 * @typedef {object} FileNote how a file became a picture
 * @property {string} format as people call it
 * @property {boolean} byBrowser whether the browser decoded it, which brings wide-gamut colours to sRGB
 * @property {boolean} onlyByBrowser whether the program itself does not read the format, such as HEIC
 * @property {[number, number] | null} scaledFrom width and height of a huge photo that was decoded to a smaller picture
 */

/**
 * @typedef {object} OpenedPicture
 * @property {number} picture the worker's handle, good until recognition fails or the picture is released
 * @property {number} width
 * @property {number} height
 * @property {Pixels} preview the upright picture, made smaller where it is large
 * @property {FacePlace[]} faces those that were found so far, the largest first
 * @property {FileNote} [file] of a picture file; a film's frames have none
 * @property {number} decodeMilliseconds
 * @property {number} findMilliseconds so far
 */

/** @typedef {{synthesised: number, pixels: Pixels}} SynthesisedCrop `synthesised` counts within its face */
/** @typedef {{face: number, synthesised: number}} Change a synthesised face that goes into the picture */

/**
 * The gates of one direction of a ConvFLU pair, averaged over the channels: maps of `side` x `side`, row by row.
 * @typedef {object} GateMap
 * @property {number} level from 1, the shallowest
 * @property {'recognition' | 'synthesis'} receiver the branch that takes from the other
 * @property {number} side
 * @property {number[]} letIn how much of the other branch's features is let into what is offered, 0 to 1
 * @property {number[]} taken how much of what is offered takes the place of the branch's own, 0 to 1
 */

/** @typedef {{side: number, fall: Float32Array}} CoverMap what the probability of the expression falls by, row by row */

/**
 * Which marks of a synthetic picture were found, as src/check.rs looks for them. That none was found does not prove
 * that a picture is genuine.
 * @typedef {object} Check
 * @property {boolean} madeHere whether one of ours was found: metadata, badge or watermark
 * @property {boolean} metadata
 * @property {{score: number, threshold: number, found: boolean}} badge the visible tag; its correlation
 * @property {Watermark} watermark
 * @property {{xmp: boolean, sourceTypes: string[], contentCredentials: boolean}} claims what else the file says of its
 *   origin, not verified: XMP that is not only ours, IPTC's terms for the source, a store of C2PA manifests
 */

/**
 * @typedef {object} Watermark
 * @property {number} score
 * @property {number} threshold from which score on it counts as found
 * @property {boolean} found
 * @property {number} chance at most how likely a picture without it has this score
 * @property {number | null} scale the size of the picture now in that which it was marked at
 * @property {boolean | null} mirrored
 */

/** @typedef {'webgpu' | 'cpu'} DeviceKind */

/**
 * @typedef {object} DeviceReport
 * @property {DeviceKind} kind
 * @property {string} label for people: "WebGPU (apple metal-3)", "CPU"
 * @property {string | null} notice why it is not WebGPU, when it was not asked to be the CPU, nor waits for it
 */

/**
 * @typedef {object} LoadedNetwork
 * @property {string[]} classes
 * @property {string[]} controls names of the facial units that a target may set; empty for older weights
 * @property {Record<string, Record<string, number>>} presets the expressions as values of controls, by name;
 *   `teethShown` among them; empty for weights without controls
 * @property {boolean} synthesises false for a network that only recognises
 * @property {DeviceReport} device
 */

/** @typedef {'program' | 'weights' | 'device' | 'warm-up'} LoadStage */

/** @typedef {{type: 'prepare', id: number, program: string}} Prepare imports wasm-bindgen's module, before it is loaded */

/**
 * @typedef {object} Load
 * @property {'load'} type
 * @property {number} id
 * @property {string} program address of wasm-bindgen's module
 * @property {WebAssembly.Module} module its program, compiled
 * @property {Uint8Array} weights
 * @property {Uint8Array} boxes weights of the face detector
 * @property {Uint8Array} mesh weights of the face mesh
 * @property {string | null} decoder address of the decoder, where the weights have it in a file of its own;
 *   fetched after the first answer
 * @property {string | null} painter address of the mouth painter, fetched with it
 * @property {string} device `webgpu` or `cpu`
 */

/**
 * @typedef {object} Recognise
 * @property {'recognise'} type
 * @property {number} id
 * @property {ArrayBuffer} bytes of the file
 */

/**
 * A frame of a film, whose faces are followed from the one before. Answers as `recognise` does.
 * @typedef {object} Follow
 * @property {'follow'} type
 * @property {number} id
 * @property {ImageBitmap} frame
 * @property {number} tracker the page's number of who follows
 */

/**
 * A frame of a film that is looked at and let go: nothing of it is kept.
 * @typedef {object} Live
 * @property {'live'} type
 * @property {number} id
 * @property {ImageBitmap} frame
 * @property {number} tracker the page's number of who follows
 * @property {Record<string, number> | null} target what the largest face is to show, weights by name; null: it stays
 */

/** @typedef {{type: 'unfollow', id: number, tracker: number}} Unfollow the film is over */

/** @typedef {{type: 'whole', id: number, picture: number}} Whole recognises the whole picture as a face, added once */

/**
 * @typedef {object} Synthesise
 * @property {'synthesise'} type
 * @property {number} id
 * @property {number} picture
 * @property {number} face
 * @property {Record<string, number>[]} targets weights by name each
 * @property {number} size side of the crops that come back, in pixels
 */

/** @typedef {{type: 'compose', id: number, picture: number, changes: Change[]}} Compose */
/** @typedef {{type: 'save', id: number, picture: number, changes: Change[]}} Save */
/** @typedef {{type: 'check', id: number, picture: number}} CheckMarks which marks a picture carries */
/** @typedef {{type: 'release', id: number, picture: number}} Release */
/** @typedef {{type: 'forget', id: number, picture: number, face: number, synthesised: number}} Forget */
/** @typedef {{type: 'gates', id: number, picture: number, face: number}} Gates the gates between the branches */
/** @typedef {{type: 'cover', id: number, picture: number, face: number}} Cover what a covered part changes */

/**
 * The frames of a way through synthesised faces.
 * @typedef {object} Animate
 * @property {'animate'} type
 * @property {number} id
 * @property {number} picture
 * @property {number} face
 * @property {Record<string, number>[]} targets one a frame, after the photo's own
 * @property {number} size the longer side of the frames, at most, in pixels
 */

/** @typedef {{type: 'gif', id: number, picture: number, face: number, way: number[], size: number}} Gif */
/** @typedef {{type: 'mark', id: number, pixels: Pixels}} MarkPixels pixels that were made of synthesised faces */
/** @typedef {{type: 'cancel', id: number}} Cancel the question with this id is no longer wanted */

/** @typedef {Prepare | Load | Recognise | Follow | Live | Unfollow | Whole | Synthesise | Compose | Save | Release | Forget | Gates | Cover | Animate | Gif | MarkPixels | CheckMarks} Question */
/** @typedef {Question | Cancel} ToWorker */

/** @typedef {{type: 'progress', id: number, stage: LoadStage, loaded: number, total: number | null}} Progress */
/** @typedef {{type: 'opened', id: number, opened: OpenedPicture}} Opened */
/**
 * @typedef {object} Found more faces than `opened` told of, or none when the search is over
 * @property {'found'} type
 * @property {number} id
 * @property {FacePlace[]} faces the largest first
 * @property {number} first the number of the first of them
 * @property {number} findMilliseconds so far
 */
/** @typedef {{type: 'recognised', id: number, face: number, recognition: Recognition}} Recognised of a face that was told of */
/** @typedef {{type: 'covered', id: number, rows: number, of: number}} Covered rows of places that were covered */
/** @typedef {{type: 'frame', id: number, index: number, pixels: Pixels}} FrameDrawn marked; 0 is the photo's own */
/** @typedef {{type: 'done', id: number, result: any}} Done see `Results` */
/** @typedef {{type: 'failed', id: number, code: string, message: string}} Failed `cancelled` is a code too */
/** @typedef {{type: 'broken', code: string, message: string}} Broken nothing will be answered any more */

/** @typedef {Progress | Opened | Found | Recognised | Covered | FrameDrawn | Done | Failed | Broken} FromWorker */

/**
 * What `done` carries, by question.
 * @typedef {object} Results
 * @property {null} prepare
 * @property {LoadedNetwork} load
 * @property {{picture: number}} recognise
 * @property {{picture: number}} follow
 * @property {{width: number, height: number, faces: (FacePlace & Recognition)[], mirrored: Pixels | null}} live
 *   `mirrored`: the frame with the target in its largest face; null without a target, or a face
 * @property {null} unfollow
 * @property {{face: number, place: FacePlace, recognition: Recognition}} whole
 * @property {{crops: SynthesisedCrop[], milliseconds: number}} synthesise
 * @property {Pixels} compose
 * @property {ArrayBuffer} save a marked PNG file
 * @property {ArrayBuffer} mark a marked PNG file
 * @property {Check} check
 * @property {null} release
 * @property {null} forget
 * @property {GateMap[]} gates
 * @property {CoverMap} cover
 * @property {{way: number[]}} animate the numbers of the synthesised faces, in their order
 * @property {ArrayBuffer} gif a marked GIF file that goes there and back
 */

/** The code under which a cancelled question fails. */
export const CANCELLED = 'cancelled';

// @ts-check
/**
 * @file The page's words in English. This is the reference: every other language has these keys, and tsc says
 * which is missing. The sentences of index.html stand here once more, for the way back from another language.
 */

/** The API's errors are English sentences already. */
const AS_THE_API_SAYS = /** @type {string | null} */ (null);

/** What each branch of the network does. */
const BRANCHES = { recognition: ['recognising', 'synthesising'], synthesis: ['synthesising', 'recognising'] };

/** @param {number} n @param {string} one */
const counted = (n, one) => `${n} ${n === 1 ? one : `${one}s`}`;

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** `a, b and c`. @param {readonly string[]} words */
const anded = (words) => words.join(', ').replace(/, ([^,]*)$/, ' and $1');

export default {
  /** For `<html lang>`. */
  lang: 'en',
  /** For numbers. */
  locale: 'en-GB',

  /** @param {string} number of hundredths, formatted */
  percent: (number) => `${number} %`,
  /** @param {string} number */
  points: (number) => `${number} percentage points`,
  /** @param {readonly string[]} names */
  list: (names) => names.join(', '),
  /** @param {readonly string[]} names of what is mixed */
  mixed: (names) => names.join(' and '),

  /** What stands in index.html. */
  page: {
    title: 'FERSNet: facial expressions, recognised and synthesised',
    description:
      'Recognises the expression a face shows, and synthesises the face with another one, on your own device. No picture leaves the page.',
    skip: 'Skip to the page',
    tagline: 'Recognises the expression a face shows, and synthesises the face with another one.',
    language: 'Language',
    device: 'Device',
    deviceChosen: 'being chosen',
    lastAnswer: 'Last answer',
    noneYet: 'none yet',
    picture: 'Picture',
    choose: 'Choose a picture',
    useCamera: 'Use the camera',
    orDrop: 'or several, or a video; they can be dropped anywhere, folders too, or pasted',
    promise: 'No picture leaves this page: all is computed on this device.',
    loading: 'Loading the program and the weights',
    progress: 'Progress',
    tryAgain: 'Try again',
    startOnCpu: 'Start on the CPU',
    thePicture: 'The picture',
    facesInPicture: 'Faces in the picture',
    compare: 'Hold to compare',
    compareTitle: 'Shows the original photo while this, or the key c, is held',
    synthetic: 'synthetic',
    syntheticLine: 'Synthetic',
    animationSynthetic: 'Animation, synthetic',
    animation: 'Animation',
    play: 'Play',
    placeInAnimation: 'Place in the animation',
    close: 'Close',
    saveGif: 'Save as GIF',
    saveWebm: 'Save as WebM',
    savePhoto: 'Save the synthetic photo',
    animate: 'Animate',
    putBack: 'Put the original back',
    savedMark:
      'Saved pictures carry a visible mark and an invisible watermark, and say in their metadata that they are synthetic.',
    samples: 'Sample portraits',
    orTry: 'Or try one of these',
    astronaut: 'Astronaut, smiling',
    manShortBlackHair: 'Man with short black hair, neutral',
    womanDarkHairTied: 'Woman with dark hair tied back, neutral',
    officer: 'Officer with glasses and a cap, neutral',
    manFairHair: 'Man with fair hair, neutral',
    womanBlackHairTied: 'Woman with black hair tied back, neutral',
    womanAtHome: 'Woman at home in dim light, neutral',
    manUprightHair: 'Man with dark, upright hair, neutral',
    womanDarkBrows: 'Woman with dark brows, neutral',
    manShortBeard: 'Man with dark hair and a short beard, neutral',
    recognised: 'What was recognised',
    noFace: 'No face found',
    noFaceHelp:
      'If the picture shows a face up close, it can be recognised as a whole. Else choose one in which the face is larger, upright and turned to the camera.',
    wholePicture: 'Use the whole picture as the face',
    notFeeling: 'An expression is not a feeling',
    notFeelingText:
      'The network names what a face shows. It does not know what a person feels, thinks or intends, and nothing here may be used to judge one.',
    canBeWrong: 'Answers can be wrong',
    canBeWrongText:
      'It learned from photographs that people labelled by eye, often in disagreement, and it recognises some faces worse than others: fear, disgust and contempt above all, and faces that are turned, covered or small.',
    areSynthetic: 'Moved faces are synthetic',
    areSyntheticText:
      'Nobody made that face. The page labels it, and every picture saved here carries a visible mark, a watermark that is not seen, and the metadata that photo programs look for. Move only the faces of people who agree to it.',
    /** Names in braces are the links and titles of index.html. */
    credits:
      'Samples: Eileen Collins (NASA) and Grace Hopper (U.S. Navy), both in the public domain; seven composite faces, each an average of four persons, by Lisa DeBruine (2016, {work}, CC BY 4.0), and her own photo (CC0); see their {sources}. Faces are found by {boxes} and a {mesh}, both of MediaPipe ({apache}). The network: {model}, {card}.',
    sources: 'sources',
    mesh: 'face mesh',
    model: 'figures and limits',
    card: 'model card',
    embedCredit: '{site}: what it can and cannot do, samples and licences',
    cameraTitle: 'Camera',
    ownFace: 'Your face with another expression, synthetic',
    takePicture: 'Take the picture',
    recogniseLive: 'Recognise live',
    mirror: 'Mirror',
  },

  /** What the status line and the facts in the head say. */
  status: {
    program: 'Loading the program',
    weights: 'Loading the weights',
    device: 'Starting the graphics device',
    'warm-up': 'Preparing the graphics device',
    /** @param {string} megabytes @param {string | null} all */
    loaded: (megabytes, all) => (all === null ? `${megabytes} MB` : `${megabytes} of ${all} MB`),
    ready: 'Ready: choose a picture.',
    noDevice: 'none',
    notRunning: 'Not running.',
    readyForAnother: 'Ready for another picture.',
    opening: 'Opening the picture',
    /** @param {number} n */
    facesFound: (n) => `${counted(n, 'face')} found, being recognised`,
    noFaceFound: 'No face found',
    noFaceInPicture: 'No face was found in this picture.',
    wholePicture: 'Recognising the whole picture as a face',
    /** @param {number} number of the face, from 1 @param {number} of @param {number} expressions */
    synthesising: (number, of, expressions) =>
      `Synthesising ${of > 1 ? `face ${number} of ${of}` : 'the face'} with ${expressions} expressions`,
    /** @param {string[]} shown one for each face */
    shows: (shown) => (shown.length === 1 ? `The face shows ${shown[0]}.` : `${counted(shown.length, 'face')}: ${shown.join(', ')}.`),
    /** @param {string} format */
    decodedByBrowser: (format) => `Decoded by the browser: ${format} is a format that not every browser reads`,
    /** @param {string} from @param {string} to width and height */
    scaled: (from, to) => `Made smaller while it was decoded: ${from} to ${to} pixels`,
    /** @param {string} time */
    recognisedIn: (time) => `recognised in ${time}`,
    /** @param {string} recognised @param {number} count @param {string} synthesised times */
    synthesisedIn: (recognised, count, synthesised) => `recognised in ${recognised}, ${count} synthesised in ${synthesised}`,
  },

  /** The page without a network, and newer versions of it. */
  offline: {
    works: 'Works offline',
    update: 'A new version of this page is here.',
    reload: 'Reload',
    later: 'Later',
    others: 'This page is open elsewhere too, in the version before: close it there, then reload here.',
  },

  /** Why the CPU computes. */
  device: {
    cpuMeanwhile: 'CPU, until WebGPU is ready',
    failed: 'WebGPU did not start, so the CPU computes: slower, with the same answers.',
    lost: 'The graphics device was lost, so the CPU computes: slower, with the same answers.',
    notOffered: 'WebGPU was asked for, but this browser offers none, so the CPU computes.',
    none: 'This browser offers no WebGPU, so the CPU computes: slower, with the same answers.',
    software: 'This browser’s WebGPU runs in software, so the CPU computes directly, which is faster.',
  },

  /** The network's expressions; those of other weights keep their own names. */
  expressions: {
    neutral: 'neutral',
    happiness: 'happiness',
    surprise: 'surprise',
    sadness: 'sadness',
    anger: 'anger',
    disgust: 'disgust',
    fear: 'fear',
    contempt: 'contempt',
  },

  /** How sure an answer is. Each gets names of expressions and formatted probabilities. */
  sure: {
    /** @param {string} name @param {string} other */
    either: (name, other) => `${name} or ${other}: not sure`,
    /** @param {string} name @param {string} other */
    eitherShort: (name, other) => `${name} or ${other}?`,
    /** @param {string} name @param {string} first @param {string} other @param {string} second */
    eitherWhy: (name, first, other, second) => `Not sure: ${name} (${first}) and ${other} (${second}) are close.`,
    /** @param {string} name */
    perhaps: (name) => `perhaps ${name}: not sure`,
    /** @param {string} name */
    perhapsShort: (name) => `${name}?`,
    /** @param {string} name @param {string} other @param {string} second */
    perhapsWhy: (name, other, second) =>
      `Not sure: no expression is likelier than not. After ${name} comes ${other} (${second}).`,
    notSure: 'not sure',
    /** Follows the first in the headline. @param {string} other */
    or: (other) => ` or ${other}`,
    /** What may be about a face, as it is seen in the picture. */
    doubts: {
      small: 'small',
      dark: 'poorly lit',
      overexposed: 'overexposed',
      blurred: 'blurred',
      turned: 'turned away',
    },
    /** @param {readonly string[]} how one or more of these */
    doubtful: (how) => `The face is ${anded(how)}: the answer may be wrong.`,
  },

  /** The photo and one face's answers. */
  face: {
    beingRecognised: 'being recognised',
    /** @param {string} name */
    isSynthetic: (name) => `${name}, synthetic`,
    /** @param {number} number @param {string} shows */
    label: (number, shows) => `Face ${number}: ${shows}`,
    /** @param {string} shows @param {string} probability */
    withProbability: (shows, probability) => `${shows}, ${probability}`,
    /** @param {string} names */
    pictureSynthetic: (names) => `The picture with a synthetic face: ${names}`,
    moved: 'moved',
    shows: 'The face shows',
    /** @param {number} number @param {number} of */
    numberShows: (number, of) => `Face ${number} of ${of} shows`,
    /** @param {number} number @param {number} of */
    number: (number, of) => `Face ${number} of ${of}`,
    probabilities: 'Probabilities',
    why: 'Why?',
    calibrated: 'Calibrated: of ten faces recognised at 80 %, most people name about eight the same.',
    synthesised: 'The same face, synthesised',
    sheet: 'Save all as one picture',
    /** @param {string} shows */
    original: (shows) => `Original: ${shows}`,
    sheetFoot: 'All but the original are synthetic. Made with FERSNet.',
    noSheet: 'The picture could not be made: reload the page.',
    chooseOne: 'Choose one to put it into the photo; choose it again to take it out.',
    all: 'All faces alike',
    /** @param {number} n */
    allAlike: (n) => `What you choose, move or paste here goes to all ${n} faces, each from what it shows itself.`,
    /** @param {number} n */
    allMoved: (n) => `All ${n} faces are moved.`,
    /** @param {number} n */
    allOwn: (n) => `All ${n} faces are those of the photo.`,
    noSliders: 'The sliders could not be loaded: reload the page.',
    noWhy: 'This could not be loaded: reload the page.',
    previous: 'Previous face',
    next: 'Next face',
  },

  /** The sliders. */
  sliders: {
    title: 'Move the face',
    titleAll: 'Move all faces',
    reset: 'Reset',
    resetAll: 'Reset all',
    hint: 'The photo follows as you drag, from what the face shows at 0\u00a0% to the whole expression at 100\u00a0%.',
    expression: 'Expression',
    intensity: 'Intensity',
    mix: 'Mix expressions',
    apart: 'Move left and right apart',
    sides: 'Left and right are those of the person in the photo.',
    auto: 'auto',
    automatic: 'automatic',
    asText: 'As text',
    copy: 'Copy',
    apply: 'Apply',
    copied: 'Copied.',
    cannotCopy: 'The browser does not let the page copy: the text is selected, copy it yourself.',
    nameMissing: 'a name is missing: write names with weights, such as happiness=0.6,jawOpen=0.4',
    /** @param {string} weight @param {string} name */
    noNumber: (weight, name) => `the weight "${weight}" of ${name} is not a number`,
    /** @param {string} name */
    givenTwice: (name) => `${name} is given twice; give each name once`,
  },

  /** Parts of the face that have sliders. */
  parts: {
    brows: 'Brows',
    eyes: 'Eyes',
    'nose-and-cheeks': 'Nose and cheeks',
    mouth: 'Mouth',
    jaw: 'Jaw',
    more: 'More',
  },

  /** The controls, without the side. */
  controls: {
    mouthSmile: 'Smile',
    mouthFrown: 'Corners down',
    teethShown: 'Teeth shown',
    mouthUpperUp: 'Upper lip up',
    mouthLowerDown: 'Lower lip down',
    mouthPucker: 'Lips puckered',
    mouthFunnel: 'Lips rounded',
    mouthStretch: 'Corners wide',
    mouthDimple: 'Dimples',
    mouthPress: 'Lips pressed',
    mouthClose: 'Lips closed',
    mouthRollUpper: 'Upper lip in',
    mouthRollLower: 'Lower lip in',
    mouthShrugUpper: 'Upper lip pout',
    mouthShrugLower: 'Lower lip pout',
    mouthLeft: 'Mouth left',
    mouthRight: 'Mouth right',
    browInnerUp: 'Inner brow up',
    browOuterUp: 'Outer brow up',
    browDown: 'Brow down',
    eyeBlink: 'Eye closed',
    eyeWide: 'Eye wide',
    eyeSquint: 'Eye narrowed',
    noseSneer: 'Nose wrinkled',
    cheekSquint: 'Cheek raised',
    cheekPuff: 'Cheek puffed',
    jawOpen: 'Jaw open',
    jawForward: 'Jaw forward',
    jawLeft: 'Jaw left',
    jawRight: 'Jaw right',
  },
  /** @param {string} control @param {'left' | 'right'} side */
  onSide: (control, side) => `${control}, ${side}`,

  /** Where an answer came from. */
  why: {
    restsOn: 'Which parts of the face it rests on',
    /** @param {string} expression */
    covering: (expression) =>
      `A grey patch covers one part of the face after the other, and each time the face is recognised anew: bright where ${expression} loses most.`,
    cover: 'Cover the face part by part',
    stop: 'Stop',
    stopped: 'Stopped.',
    coverBegins: 'Covering …',
    /** @param {string} percent */
    covered: (percent) => `Covering: ${percent}`,
    tookTitle: 'What the two tasks took from each other',
    looking: 'Looking at the gates …',
    noGates: 'This network has no gates: its tasks share all or nothing.',
    gates:
      'The network has a branch that recognises and one that synthesises. Where they meet, gates open and close. Left: where a branch let in features of the other one. Right: where the mixture took the place of its own. Bright is much. Gates say what was let in, not that the answer came from it.',
    /** @param {'recognition' | 'synthesis'} receiver */
    took: (receiver) => `What ${BRANCHES[receiver][0]} took from ${BRANCHES[receiver][1]}`,
    fineness: ['Fine', 'Middle', 'Coarse'],
    /** @param {number} level */
    level: (level) => `Level ${level}`,
    /** @param {string} name @param {number} side */
    map: (name, side) => `${name} (${side} × ${side})`,
    /** @param {string} name @param {'recognition' | 'synthesis'} receiver */
    letInLabel: (name, receiver) => `${name}: where ${BRANCHES[receiver][0]} let in features of ${BRANCHES[receiver][1]}`,
    /** @param {string} name @param {'recognition' | 'synthesis'} receiver */
    takenLabel: (name, receiver) => `${name}: where the mixture took the place of what ${BRANCHES[receiver][0]} had`,
    /** @param {string} label @param {string} low @param {string} high */
    range: (label, low, high) => `${label}, from ${low} to ${high}`,
    /**
     * Shares, and the part of the face where each is largest; none where it is about alike.
     * @param {'recognition' | 'synthesis'} receiver
     * @param {string} letIn @param {FacePart | null} letInAt
     * @param {string} taken @param {FacePart | null} takenAt
     */
    gate: (receiver, letIn, letInAt, taken, takenAt) => {
      const [own, other] = BRANCHES[receiver];
      return (
        `${capital(own)} let in ${letIn} of what ${other} has here${at(letInAt)}; the mixture took the place of ` +
        `${taken} of its own${at(takenAt)}.`
      );
    },
    /** @param {string} expression @param {string} whole @param {string} points @param {FacePart | null} part */
    fallSmall: (expression, whole, points, part) =>
      `${capital(expression)} stands at ${whole}, and no patch changes much: ${points} at most${part ? at(part) : ''}.`,
    /** @param {string} expression @param {string} whole @param {string} points @param {FacePart | null} part */
    fall: (expression, whole, points, part) =>
      `${capital(expression)} stands at ${whole} and falls by up to ${points}${part ? at(part) : ''}.`,
    /** @param {string} expression */
    fallLabel: (expression) => `What ${expression} loses where the face is covered`,
  },

  /** The player. */
  animation: {
    /** @param {string} name */
    label: (name) => `The face on its way to ${name} and back, synthetic`,
    firstFrame: 'Drawing the first frame',
    /** @param {number} index @param {number} of */
    drawing: (index, of) => `Drawing: ${index} of ${of} frames`,
    marked: 'Every frame says that it is synthetic; the GIF says so in its metadata too.',
    pause: 'Pause',
    /** @param {string} percent */
    place: (percent) => `${percent} of the way`,
    writing: 'Writing the file',
    /** @param {string} megabytes */
    saved: (megabytes) => `Saved: ${megabytes} MB.`,
    none: 'There is no animation yet.',
    noWebm: 'This browser records no WebM: save the GIF instead.',
    notRecorded: 'The browser could not record the video: save the GIF instead.',
  },

  /** The camera's dialog. */
  camera: {
    waiting: 'Waiting for the camera: the browser may ask you to allow it.',
    on: 'The camera is on. Its picture stays on this device.',
    hidden: 'Stopped, since the page was hidden.',
    notLoaded: 'The network is not loaded yet.',
    asItIs: 'as it is',
    /** @param {string} expression */
    synthetic: (expression) => `Synthetic: ${expression}`,
    other: 'another expression',
    /** @param {string} shown @param {string} probability */
    shows: (shown, probability) => `${shown}, ${probability}`,
    /** @param {string} shown @param {string} probability */
    ownFaceShows: (shown, probability) => `Your own face shows ${shown}, ${probability}`,
    noFace: 'No face in view.',
    notAllowed: 'The camera is not allowed here: allow it in the browser’s address bar, or choose a picture instead.',
    missing: 'There is no camera on this device: choose a picture instead.',
    inUse: 'The camera is in use by another program: close that one, then try again.',
    notSecure: 'Browsers give the camera to secure pages only (https or localhost): choose a picture instead.',
    failed: 'The camera did not start: try again, or choose a picture instead.',
  },

  /** The table of many pictures, and what it shares with a video's. */
  many: {
    pictures: 'Faces in many pictures',
    close: 'Close the table',
    back: 'Back to the table',
    progress: 'Progress of the table',
    waits: 'Waiting for the network',
    recognising: 'Recognising the pictures',
    /** @param {number} number from 1 @param {number} of @param {string} name */
    at: (number, of, name) => `${number} of ${of}: ${name}`,
    /** @param {number} files @param {number} faces @param {number} errors */
    done: (files, faces, errors) =>
      `${counted(files, 'file')}: ${counted(faces, 'face')}${errors > 0 ? `, and ${counted(errors, 'file')} that could not be read` : ''}.`,
    /** @param {number} done @param {number} of */
    cancelled: (done, of) => `Cancelled after ${done} of ${counted(of, 'file')}.`,
    none: 'There is no picture in what was given.',
    isVideo: 'This is a video: give it to the page alone.',
    cancel: 'Cancel',
    csv: 'Save as CSV',
    json: 'Save as JSON',
    region: 'Table of the faces',
    caption: 'A row for each face. The name of a file opens its picture.',
    picture: 'Picture',
    file: 'File',
    expression: 'Expression',
    probability: 'Probability',
    /** @param {number} face @param {number} of */
    faceOf: (face, of) => `face ${face} of ${of}`,
    noFace: 'No face was found.',
  },

  /** A video: its frames, the faces that were followed, the chart of one. */
  clip: {
    title: 'Faces in a video',
    opening: 'Opening the video',
    ready: 'Ready: choose how many frames are recognised, then start.',
    recognising: 'Recognising the frames',
    paused: 'Paused',
    /** @param {number} done @param {number} of @param {number} seconds left */
    at: (done, of, seconds) => `${done} of ${of} frames, about ${seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left`,
    /** @param {number} frames @param {number} faces */
    done: (frames, faces) => `${counted(frames, 'frame')} recognised, ${counted(faces, 'face')} followed.`,
    /** @param {number} frames @param {number} faces */
    cancelled: (frames, faces) => `Cancelled: ${counted(frames, 'frame')} recognised, ${counted(faces, 'face')} followed.`,
    /** @param {string} duration @param {string} size @param {string} rate */
    facts: (duration, size, rate) => `${duration} long, ${size}, ${rate} frames a second`,
    rate: 'Recognise',
    /** @param {number} rate @param {number} frames */
    some: (rate, frames) => `${rate} a second (${counted(frames, 'frame')})`,
    /** @param {number} frames */
    all: (frames) => `every frame (${frames})`,
    start: 'Start',
    again: 'Start again',
    pause: 'Pause',
    goOn: 'Go on',
    undecodable: 'This browser cannot decode this video: save it as MP4 (H.264) or WebM first.',
    noPicture: 'This file has no picture track: choose a video.',
    stuck: 'The video cannot be read further at this place: it may be damaged.',
    tooOld: 'This browser does not tell the frames of a video apart: use a current one.',
    region: 'Table of the faces that were followed',
    caption:
      'A row for each face, followed as long as it is seen. After a cut every face counts as a new one, since nothing here tells reliably who somebody is: say yourself which are the same.',
    oneFace: 'Face',
    seenHead: 'Seen',
    framesHead: 'Frames',
    mostlyHead: 'Mostly',
    sameHead: 'Same as',
    /** @param {number} id */
    face: (id) => `Face ${id}`,
    /** @param {string} from @param {string} to */
    seen: (from, to) => `${from} to ${to}`,
    /** @param {string} expression @param {string} part */
    mostly: (expression, part) => `${expression} (${part})`,
    /** @param {string} part */
    unsure: (part) => `${part} not sure`,
    own: 'no other',
    /** @param {number} id */
    same: (id) => `Face ${id} is the same as`,
    moment: 'Moment',
    frame: 'The frame at this moment',
    /** @param {string} time @param {number} number */
    when: (time, number) => `${time}, frame ${number}`,
    /** @param {number} id @param {string} shown @param {string} probability */
    shows: (id, shown, probability) => `Face ${id}: ${shown} (${probability})`,
    /** @param {number} id */
    chart: (id) => `Probabilities of face ${id} over time`,
    legend: 'Expressions in the chart',
    chartHint: 'A click in the chart shows the frame. Drawn with',
    noChart: 'The chart could not be loaded: reload the page. The table and the files do without it.',
  },

  /** Whether a picture was made here. */
  origin: {
    question: 'Was this made here?',
    looking: 'Looking for our marks …',
    failed: 'The marks could not be looked for.',
    metadata: 'metadata',
    badge: 'badge',
    watermark: 'watermark',
    found: 'found',
    notFound: 'not found',
    /** @param {string} marks */
    madeHere: (marks) => `This picture was made synthetic with FERSNet: ${marks}.`,
    none: 'None of our marks was found. Nothing found does not prove that it is genuine.',
    some: 'A mark that was taken away, or never made, is not found: that proves nothing.',
    metadataRow: 'Metadata that says that a face was synthesised here',
    badgeRow: 'The visible badge in the lower left corner',
    watermarkRow: 'The watermark in the pixels',
    /** @param {string} found @param {string} score @param {string} threshold */
    scored: (found, score, threshold) => `${found} (score ${score}; found from ${threshold} on)`,
    sourceRow: 'The source that its metadata states',
    credentialsRow: 'Content credentials (C2PA)',
    xmpRow: 'Other metadata (XMP)',
    there: 'there, not verified',
    notThere: 'none',
  },

  sampleMissing: 'This sample could not be fetched: check the network, or choose a picture of your own.',

  /** By the codes of api/errors.js; null: the API's own sentence. */
  errors: {
    internal: AS_THE_API_SAYS,
    'picture-empty': AS_THE_API_SAYS,
    'picture-format': AS_THE_API_SAYS,
    'picture-too-large': AS_THE_API_SAYS,
    'picture-truncated': AS_THE_API_SAYS,
    'picture-damaged': AS_THE_API_SAYS,
    'picture-unsupported': AS_THE_API_SAYS,
    'picture-unreachable': AS_THE_API_SAYS,
    'worker-missing': AS_THE_API_SAYS,
    'program-missing': AS_THE_API_SAYS,
    'weights-missing': AS_THE_API_SAYS,
    'weights-damaged': AS_THE_API_SAYS,
    'device-unknown': AS_THE_API_SAYS,
    'device-missing': AS_THE_API_SAYS,
    'device-lost': AS_THE_API_SAYS,
    'program-crashed': AS_THE_API_SAYS,
    'cannot-redraw': AS_THE_API_SAYS,
    'expression-unknown': AS_THE_API_SAYS,
    'target-weight': AS_THE_API_SAYS,
    'crop-size': AS_THE_API_SAYS,
    closed: AS_THE_API_SAYS,
  },
};

/** @typedef {'eyes' | 'nose' | 'mouth'} FacePart a part of the face as the maps know it */

/** @type {Record<FacePart, string>} */
const FACE_PARTS = { eyes: 'the brows and eyes', nose: 'the nose and cheeks', mouth: 'the mouth and chin' };

/** @param {FacePart | null} part */
function at(part) {
  return part ? `, most at ${FACE_PARTS[part]}` : ', about alike over the face';
}

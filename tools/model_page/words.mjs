// What the model page says that no figure says: uses, and what is seen in the pictures of failures. Markup.

export const RECOGNISES = [
  'It recognises which of eight expressions a face shows, of faces from the front, roughly upright, in a photograph; it says “not sure” where no expression is likelier than not, or two are close.',
  'It does <strong>not</strong> recognise what a person feels, thinks or intends. The same face can go with different feelings, and the same feeling with different faces; people show, hide and play expressions.',
  'It tells no one apart: it knows neither names nor identities, and estimates no age, sex or origin.',
  'It judges one moment of a face and knows nothing of the situation, of the person’s usual face, or of other cultures’ ways to show an expression.',
];

export const INTENDED = [
  'To try out and to teach what such networks do, and how they fail, on one’s own photographs or those of people who agreed.',
  'Research on the recognition and synthesis of expressions, as a baseline whose figures can be repeated.',
  'Illustrations with another expression, of people who agreed, that stay marked as synthetic.',
];

export const PROHIBITED = [
  '<strong>At work and in schools.</strong> The EU’s AI Act (Regulation (EU) 2024/1689, Article 5(1)(f)) prohibits AI systems that infer the emotions of people at the workplace and in educational institutions, but for medical or safety reasons. That an expression is no emotion is no way around it: do not use this network there on employees, applicants, pupils or students.',
  'To judge or sort people anywhere: for hiring, credit, insurance, benefits, policing, borders, courts, “lie detection”, advertising or medical diagnosis. It was neither made nor tested for any of these.',
  'On people who do not know of it or have not agreed, in public places, and on children.',
  'To make others believe that somebody made a face that they did not make: synthetic faces carry a visible mark and metadata, and both must stay. Article 50 of the same Act asks for such disclosure.',
  'Where other law forbids it. This is not legal advice.',
];

/** By picture: what was meant to be seen, and what is wrong. */
export const FAILURES = {
  'collins-anger.jpg': {
    meant: { synthetic: true, expression: 'anger' },
    what: 'From an open smile: the teeth are dim and blurred, and the smile’s cheeks stay; the network itself takes the result for a smile.',
  },
  'composite-m-african-disgust.jpg': {
    meant: { synthetic: true, expression: 'disgust' },
    what: 'Recognised as meant, but the eyes are squeezed to slits.',
  },
  'composite-m-african-fear.jpg': {
    meant: { synthetic: true, expression: 'fear' },
    what: 'The mouth opens with crowded, streaked teeth, and the expression is not recognised as fear.',
  },
  'composite-m-white-surprise.jpg': {
    meant: { synthetic: true, expression: 'surprise' },
    what: 'Recognised as meant, but the inside of the mouth is one plain red surface.',
  },
  'london-029-smile.jpg': {
    meant: { synthetic: false, expression: 'a smile (happiness)' },
    what: 'A smile with closed lips is taken for a neutral face.',
  },
  'london-172-smile.jpg': {
    meant: { synthetic: false, expression: 'a smile (happiness)' },
    what: 'A smile with pressed lips and narrowed eyes is taken for contempt.',
  },
};

export const SOURCES =
  'Synthetic pictures carry their mark and metadata. Photo of Eileen Collins: NASA, public domain. Composite faces: Lisa DeBruine, Young adult composite faces (2016), CC BY 4.0. Smiles: Face Research Lab London Set, Lisa DeBruine and Benedict Jones, CC BY 4.0 (doi 10.6084/m9.figshare.5047666), subjects kept out of training. All cropped and made smaller.';

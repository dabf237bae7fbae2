// Which way of showing an answer fits a model.
import { boxes } from "/page/answers/boxes.js";
import { fan } from "/page/answers/fan.js";
import { film } from "/page/answers/film.js";
import { hearing } from "/page/answers/hearing.js";
import { json } from "/page/answers/json.js";
import { pictures } from "/page/answers/pictures.js";
import { roll } from "/page/answers/roll.js";
import { scene } from "/page/answers/scene.js";
import { shares } from "/page/answers/shares.js";
import { spans } from "/page/answers/spans.js";
import { track } from "/page/answers/track.js";
import { transcript } from "/page/answers/transcript.js";
import { translation } from "/page/answers/translation.js";
import { writing } from "/page/answers/writing.js";

const WAYS = {
  "generate text": writing,
  "generate chords": roll,
  "generate images": pictures,
  "generate sound": hearing,
  "generate video": film,
  "tag words": spans,
  "tag steps": track,
  "tag scenes": scene,
  "tag boxes": boxes,
  translate: translation,
  classify: shares,
  forecast: fan,
  transcribe: transcript,
};

/**
 * `{element, show(given, settings, signal)}`: shows the answer to what is given, and returns what was read in the end, if there was anything.
 *
 * `sets` names settings that it chooses itself, `verb` the string on the button.
 */
export const answerFor = (model) => (WAYS[`${model.task} ${model.kind}`] ?? WAYS[model.task] ?? json)(model);

// New images, or an image that is completed.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";
import { canvasOf } from "/page/inputs/pixels.js";

const COUNT = 16;

export function pictures() {
  const element = make("div.gallery", { hidden: true, role: "img", label: "pictures" });
  const show = async (given, settings, signal) => {
    const fresh = given === "";
    const { kept, count, ...others } = settings;
    const acting = fresh ? { count: count ?? COUNT, ...others } : { ...others, ...(kept === undefined ? {} : { kept }) };
    const { text, answer, ...rest } = await predict(given, acting, signal);
    const found = answer ?? text ?? Object.values(rest)[0];
    element.hidden = false;
    element.replaceChildren(...(fresh ? found : [given, found]).map((one) => canvasOf(one)));
    return given;
  };
  return { element, show, sets: ["unusual"], verb: "draw" };
}

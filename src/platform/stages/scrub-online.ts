import { stage } from "./stage.ts";

/** Writes over what was removed from the online store; in a process of its own, whose memory never held any of it. */
export default stage<unknown, { readonly done: true }>(async (opened) => {
  await opened.online().scrub();
  return { done: true };
});

import { expect, test } from "vitest";
import { AnswerBytes } from "./answer-bytes.ts";

test("an answer is what was put in, in order, however much longer than expected", () => {
  const answer = new AnswerBytes(4);
  answer.ascii("[1");
  answer.text(',"größer 🚀"'.repeat(50));
  answer.bytes(Buffer.from(",2]"));
  expect(answer.whole().toString("utf8")).toBe(`[1${',"größer 🚀"'.repeat(50)},2]`);
});

import { expect, test } from "vitest";
import { inClassesOf } from "./in-classes-of.ts";

const of = (...classes: string[]) => ({ task: "multiclass", classes }) as const;

test("a champion's probabilities are put in the order of the challenger's classes, with none for those it never saw", () => {
  const said = Float64Array.of(0.5, 0.3, 0.2, 0.1, 0.2, 0.7);
  expect(inClassesOf(of("a", "b", "c"), of("a", "b", "c"), said)).toEqual(said);
  expect(inClassesOf(of("c", "new", "a"), of("a", "b", "c"), said)).toEqual(Float64Array.of(0.2, 0, 0.5, 0.7, 0, 0.1));
});

test("predictions of other tasks stay as they are", () => {
  const number = { task: "regression", classes: [] } as const;
  expect(inClassesOf(number, number, Float64Array.of(1, 2))).toEqual(Float64Array.of(1, 2));
});

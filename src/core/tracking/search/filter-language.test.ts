import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrreryError } from "../../errors.ts";
import { type Condition, checkFilter, MAX_PATTERN_CHARACTERS, type Test } from "./check-filter.ts";
import { type Entity, experiments, loggedModels, modelVersions, registeredModels, runs } from "./entities.ts";
import { parseFilter } from "./parse-filter.ts";
import { MAX_FILTER_CHARACTERS } from "./tokens.ts";

function read(filter: string, entity: Entity = runs): string {
  const tree = parseFilter(filter);
  return tree === null ? "" : shown(checkFilter(filter, tree, entity));
}

/** A condition as one line in which everything that was decided can be seen. */
function shown(condition: Condition): string {
  switch (condition.kind) {
    case "and":
    case "or":
      return `(${condition.kind} ${condition.parts.map(shown).join(" ")})`;
    case "not":
      return `(not ${shown(condition.part)})`;
    case "test": {
      const { subject, test } = condition;
      const name = subject.of === "attribute" ? subject.name : subject.of === "dataset" ? subject.field : subject.key;
      return `[${subject.of} ${name} ${shownTest(test)}]`;
    }
  }
}

function shownTest(test: Test): string {
  switch (test.kind) {
    case "null":
      return test.missing ? "missing" : "there";
    case "text":
      return `${test.operator} ${JSON.stringify(test.text)}`;
    case "texts":
      return `${test.within ? "" : "not "}in ${JSON.stringify(test.texts)}`;
    case "number":
      return `${test.operator} ${test.number}`;
    case "between":
      return `${test.within ? "" : "not "}between ${test.low} ${test.high}`;
  }
}

function errorOf(filter: string, entity: Entity = runs): OrreryError {
  try {
    read(filter, entity);
  } catch (error) {
    if (error instanceof OrreryError) return error;
    throw error;
  }
  throw new Error(`${filter} was accepted`);
}

describe("a filter that is accepted", () => {
  it.each([
    ["", ""],
    ["   \n\t ", ""],
    ["metrics.auc > 0.9", "[metric auc > 0.9]"],
    ["metric.acc>=100", "[metric acc >= 100]"],
    ["metrics.a<1", "[metric a < 1]"],
    ["metrics.a <= 1", "[metric a <= 1]"],
    ["metrics.a=1", "[metric a = 1]"],
    ["metrics.a != 1", "[metric a != 1]"],
    ["metrics.XYZ = 3", "[metric XYZ = 3]"],
    ["metrics.a > -1", "[metric a > -1]"],
    ["metrics.a > +1", "[metric a > 1]"],
    ["metrics.a > .5", "[metric a > 0.5]"],
    ["metrics.a > 5.", "[metric a > 5]"],
    ["metrics.a > 1e3", "[metric a > 1000]"],
    ["metrics.a > -1.5E-3", "[metric a > -0.0015]"],
    ["metrics.a > 1e400", "[metric a > Infinity]"],
    ["metrics.a < inf", "[metric a < Infinity]"],
    ["metrics.a > -Infinity", "[metric a > -Infinity]"],
    ["metrics.a = nan", "[metric a = NaN]"],
    ["metrics.a != NaN", "[metric a != NaN]"],
    ["metrics.a between 1 and 2", "[metric a between 1 2]"],
    ["metrics.a NOT BETWEEN -1 AND 2 AND metrics.b > 1", "(and [metric a not between -1 2] [metric b > 1])"],
    ["metrics.a IS NULL", "[metric a missing]"],
    ["metrics.a IS NOT NULL", "[metric a there]"],
    ["metrics.m.n > 1", "[metric m.n > 1]"],
    ['metrics."accuracy.2.0" > 5', "[metric accuracy.2.0 > 5]"],
    ["metrics.`spacey name` > 5", "[metric spacey name > 5]"],
    ['metric."legit name" >= 0.243', "[metric legit name >= 0.243]"],
    ['metrics."X//Y#$$@&Z" = 3', "[metric X//Y#$$@&Z = 3]"],
    ["`metric`.a >= 0.1", "[metric a >= 0.1]"],
    ["params.m='tf'", '[param m = "tf"]'],
    ['params."m"!="tf"', '[param m != "tf"]'],
    ["parameter.m = 'x'", '[param m = "x"]'],
    ["parameters.m = 'x'", '[param m = "x"]'],
    ["param.m = 'x'", '[param m = "x"]'],
    ["params.'a' = 'x'", '[param a = "x"]'],
    ["params.a = ''", '[param a = ""]'],
    ["params.a = 'it''s'", '[param a = "it\'s"]'],
    ['params.a = "L\'Hosp"', '[param a = "L\'Hosp"]'],
    ['params.a = "say ""x"""', '[param a = "say \\"x\\""]'],
    ["params.a = 'C:\\'", '[param a = "C:\\\\"]'],
    ["params.a = '5'", '[param a = "5"]'],
    ["params.`a``b` = 'x'", '[param a`b = "x"]'],
    ['params."a""b" = \'x\'', '[param a"b = "x"]'],
    ["params.1a = 'x'", '[param 1a = "x"]'],
    ["params.learning-rate = '0.1'", '[param learning-rate = "0.1"]'],
    ["params.a/b:c@d = 'x'", '[param a/b:c@d = "x"]'],
    ["params.ünï = 'é'", '[param ünï = "é"]'],
    ["params.`😀 →` = '😀'", '[param 😀 → = "😀"]'],
    [
      "params.order = 'x' AND params.select = 'y' AND params.and = 'z'",
      '(and [param order = "x"] [param select = "y"] [param and = "z"])',
    ],
    ["params.`not` = 'x'", '[param not = "x"]'],
    ["params.constructor = 'x' AND tags.__proto__ = 'y'", '(and [param constructor = "x"] [tag __proto__ = "y"])'],
    ["params.a like 'x%'", '[param a LIKE "x%"]'],
    ["params.a Not Like 'x%'", '[param a NOT LIKE "x%"]'],
    ["params.a ILIKE '%X'", '[param a ILIKE "%X"]'],
    ["params.a NOT ILIKE '%X'", '[param a NOT ILIKE "%X"]'],
    ["params.a IN ('x')", '[param a in ["x"]]'],
    ["params.a IN ('x', \"y\" ,'z',)", '[param a in ["x","y","z"]]'],
    ["params.a not in('x')", '[param a not in ["x"]]'],
    ["params.a is null", "[param a missing]"],
    ["params.a IS  NOT\n NULL", "[param a there]"],
    ["tags.mlflow.parentRunId = 'x'", '[tag mlflow.parentRunId = "x"]'],
    ["tag.`mlflow.source.name` LIKE '%.py'", '[tag mlflow.source.name LIKE "%.py"]'],
    ["`tags`.source_name = 'a notebook'", '[tag source_name = "a notebook"]'],
    ["status = 'FINISHED'", '[attribute status = "finished"]'],
    ["run.status = 'RUNNING'", '[attribute status = "running"]'],
    ["attributes.status IN ('FAILED', 'KILLED')", '[attribute status in ["failed","killed"]]'],
    ["attr.run_id = 'a'", '[attribute run_id = "a"]'],
    ["attribute.artifact_uri = '1/23/4'", '[attribute artifact_uri = "1/23/4"]'],
    ["run_id NOT IN ('a', 'b')", '[attribute run_id not in ["a","b"]]'],
    ["attribute.start_time >= 1234", "[attribute start_time >= 1234]"],
    ["start_time > 1.5", "[attribute start_time > 1.5]"],
    ["created > 5 AND Created < 6", "(and [attribute start_time > 5] [attribute start_time < 6])"],
    ["`run name` = 'x'", '[attribute run_name = "x"]'],
    ["\"Run name\" = 'x'", '[attribute run_name = "x"]'],
    ["attributes.`Run Name` LIKE 'x'", '[attribute run_name LIKE "x"]'],
    ["end_time IS NULL", "[attribute end_time missing]"],
    ["end_time BETWEEN 1 AND 2", "[attribute end_time between 1 2]"],
    ["user_id = 'u'", '[attribute user_id = "u"]'],
    ["parent_run_id IS NULL", "[attribute parent_run_id missing]"],
    ["dataset.name = 'my_dataset'", '[dataset name = "my_dataset"]'],
    ["datasets.digest IN ('a')", '[dataset digest in ["a"]]'],
    ["datasets.context ILIKE 'TR%'", '[dataset context ILIKE "TR%"]'],
    ["dataset.context IS NULL", "[dataset context missing]"],
    ["metrics.a > 1 AND metrics.b > 2 AND metrics.c > 3", "(and [metric a > 1] [metric b > 2] [metric c > 3])"],
    ["metrics.a > 1 or metrics.b > 2 and metrics.c > 3", "(or [metric a > 1] (and [metric b > 2] [metric c > 3]))"],
    ["(metrics.a > 1 OR metrics.b > 2) AND metrics.c > 3", "(and (or [metric a > 1] [metric b > 2]) [metric c > 3])"],
    ["NOT metrics.a > 1 AND metrics.b > 2", "(and (not [metric a > 1]) [metric b > 2])"],
    ["NOT (metrics.a > 1 AND metrics.b > 2)", "(not (and [metric a > 1] [metric b > 2]))"],
    ["not not metrics.a > 1", "(not (not [metric a > 1]))"],
    ["((metrics.a > 1))", "[metric a > 1]"],
    ["metrics.a>1 AND\nparams.b='x'", '(and [metric a > 1] [param b = "x"])'],
    ["NOT tags.a IN ('x') OR NOT tags.a NOT IN ('x')", '(or (not [tag a in ["x"]]) (not [tag a not in ["x"]]))'],
  ])("%s", (filter, expected) => {
    expect(read(filter)).toBe(expected);
  });

  const PREFIXES = ["attribute.", "attributes.", "attr.", "run.", "", "`attribute`."];
  it.each(PREFIXES)("names an attribute as %srun_id", (prefix) => {
    expect(read(`${prefix}run_id = 'x'`)).toBe('[attribute run_id = "x"]');
  });

  it.each([
    [experiments, "name LIKE 'x%' AND tags.a = 'b'", '(and [attribute name LIKE "x%"] [tag a = "b"])'],
    [
      experiments,
      "creation_time > 1 AND last_update_time <= 2",
      "(and [attribute creation_time > 1] [attribute last_update_time <= 2])",
    ],
    [experiments, "attribute.experiment_id IN ('0', '1')", '[attribute experiment_id in ["0","1"]]'],
    [experiments, "tag.a IS NULL", "[tag a missing]"],
    [registeredModels, "name = 'x'", '[attribute name = "x"]'],
    [registeredModels, "name ilike '%X%'", '[attribute name ILIKE "%X%"]'],
    [registeredModels, "tag.`mlflow.prompt.is_prompt` != 'true'", '[tag mlflow.prompt.is_prompt != "true"]'],
    [modelVersions, "name='x' AND version_number = 3", '(and [attribute name = "x"] [attribute version_number = 3])'],
    [modelVersions, "version_number >= '2'", "[attribute version_number >= 2]"],
    [modelVersions, "run_id IN ('a','b')", '[attribute run_id in ["a","b"]]'],
    [modelVersions, "source_path LIKE 'mlflow-artifacts:%'", '[attribute source_path LIKE "mlflow-artifacts:%"]'],
    [modelVersions, "tags.`a b` = 'x'", '[tag a b = "x"]'],
    [loggedModels, "metrics.auc >= 0.9", "[metric auc >= 0.9]"],
    [loggedModels, "params.a = 'x' AND tags.b = 'y'", '(and [param a = "x"] [tag b = "y"])'],
    [loggedModels, "attributes.creation_time > 5", "[attribute creation_timestamp > 5]"],
    [
      loggedModels,
      "status = 'LOGGED_MODEL_READY' OR status = 'READY'",
      '(or [attribute status = "ready"] [attribute status = "ready"])',
    ],
    [loggedModels, "source_run_id IS NULL", "[attribute source_run_id missing]"],
  ] as const)("of $table: %s", (entity, filter, expected) => {
    expect(read(filter, entity)).toBe(expected);
  });
});

describe("a filter that is refused says where and why:", () => {
  it.each([
    // Syntax: column, length, what is said of it.
    ["metrics.auc >", 14, 1, 'expected a value after ">", found the end'],
    ["metrics.auc > 'x'", 15, 3, 'expected a number after ">"'],
    ["metrics.auc > x", 15, 1, 'expected a number or a quoted text after ">", found x'],
    ["metrics.auc", 12, 1, "expected an operator, found the end"],
    ["metrics.auc 1", 13, 1, "expected an operator, found 1"],
    ["metrics.auc > 1 metrics.b > 2", 17, 9, "expected AND, OR or the end, found metrics.b"],
    ["metrics.auc > 1 AND", 20, 1, "expected an identifier such as metrics.auc, found the end"],
    ["metrics.auc > 1 OR", 19, 1, "expected an identifier"],
    ["AND metrics.auc > 1", 1, 3, "expected an identifier such as metrics.auc, found AND"],
    ["metrics.a > 1 AND AND metrics.b > 1", 19, 3, "expected an identifier"],
    ["metrics.a > 1 NAND metrics.b > 1", 15, 4, "expected AND, OR or the end, found NAND"],
    ["NOT", 4, 1, "expected an identifier"],
    ["(metrics.a > 1", 15, 1, 'expected ")" for the "(" of column 1, found the end'],
    ["metrics.a > 1)", 14, 1, "expected AND, OR or the end, found )"],
    ["()", 2, 1, "expected an identifier such as metrics.auc, found )"],
    ["metrics.a > 1;", 14, 1, '";" is no part of the language'],
    ["metrics.a > 1 -- x", 15, 1, '"-" is no part of the language'],
    ["metrics.a > 1 /* x */", 15, 1, '"/" is no part of the language'],
    ["metrics.a ~ 1", 11, 1, '"~" is no part of the language'],
    ["metrics.a > 0x10", 13, 1, '"0" is no part'],
    ["metrics.a > 1_000", 13, 1, '"1" is no part'],
    ["metrics.a > - 1", 13, 1, '"-" is no part'],
    ["metrics.a == 1", 11, 2, '"==" is no operator; write "="'],
    ["metrics.a <> 1", 11, 2, '"<>" is no operator; write "!="'],
    ["params.a = 'x", 12, 2, "the quote ' is never closed"],
    ["params.a = \"x'", 12, 3, 'the quote " is never closed'],
    ["params.`a = 'x'", 8, 8, "the quote ` is never closed"],
    ["`metrics.a > 1", 1, 14, "the quote ` is never closed"],
    ["params. = 'x'", 8, 1, 'expected a key after "params."'],
    ["params.`` = 'x'", 10, 1, "expected a key after"],
    ["params", 7, 1, "expected an operator"],
    ["params.a b = 'x'", 10, 1, "expected an operator, found b"],
    ["metrics . a > 1", 9, 1, '"." is no part'],
    ["params.acc = LR", 14, 2, "texts stand in single or double quotes"],
    ["params.acc = `LR`", 14, 4, "texts stand in single or double quotes"],
    ["params.a = params.b", 12, 8, "expected a number or a quoted text"],
    ["params.a IS 'x'", 13, 3, 'expected NULL or NOT NULL after "IS"'],
    ["params.a IS NOT 'x'", 17, 3, 'expected NULL after "IS NOT"'],
    ["params.a NOT 'x'", 14, 3, 'expected LIKE, ILIKE, IN or BETWEEN after "NOT"'],
    ["params.a NOT = 'x'", 14, 1, 'expected LIKE, ILIKE, IN or BETWEEN after "NOT", found ='],
    ["params.a IN 'x'", 13, 3, "expected a list"],
    ["params.a IN ()", 14, 1, 'expected a value after "IN (", found )'],
    ["params.a IN (", 14, 1, 'expected a value after "IN (", found the end'],
    ["params.a IN ('x'", 17, 1, 'expected "," or ")" in the list, found the end'],
    ["params.a IN ('x' 'y')", 18, 3, 'expected "," or ")" in the list'],
    ["params.a IN (,'x')", 14, 1, 'expected a value after "IN ("'],
    ["params.a LIKE", 14, 1, 'expected a value after "LIKE"'],
    ["metrics.a BETWEEN 1", 20, 1, "expected AND and the upper bound"],
    ["metrics.a BETWEEN 1 OR 2", 21, 2, "expected AND and the upper bound"],
    ["1 = 1", 1, 1, "expected an identifier such as metrics.auc, found 1"],
    ["1.0 > metrics.a", 1, 3, "expected an identifier"],
    ["'run_id' = 'x'", 1, 8, "expected an identifier"],
    ["(SELECT 1)", 9, 1, "expected an operator, found 1"],
    ["run_id = ('a')", 10, 1, 'expected a value after "=", found ('],
    ["NULL IS NULL", 1, 4, "expected an identifier"],
    ["params.a = 'x' OR", 18, 1, "expected an identifier"],
    ["params.a = '\0'", 13, 1, "U+0000"],
    // The column counts characters, not code units.
    ["params.`😀😀` = 5", 15, 1, 'expected a text in quotes after "="'],
    ["params.a = '😀' x", 16, 1, "expected AND, OR or the end, found x"],
    ["params.a = '\n' x", 16, 1, "expected AND"],
    // Identifiers.
    ["m.acc >= 0.94", 1, 5, '"m" is none of attributes, metrics, params, tags, datasets'],
    ["Metrics.a > 1", 1, 9, '"Metrics" is none of'],
    ["acc >= 0.94", 1, 3, 'there is no attribute "acc"; there are run_id, run_name'],
    ["metrics.a > 1 AND attribute.start != 1", 19, 15, 'there is no attribute "start"'],
    ["attribute._status != 'RUNNING'", 1, 17, 'there is no attribute "_status"'],
    ["attribute.constructor = 'x'", 1, 21, 'there is no attribute "constructor"'],
    ["__proto__.a = 'x'", 1, 11, '"__proto__" is none of'],
    ["toString = 'x'", 1, 8, 'there is no attribute "toString"'],
    ["``.a = 'x'", 1, 4, '"" is none of'],
    ["dataset.status = 'true'", 1, 14, 'a data set has no "status"; it has name, digest, context'],
    ["`metrics.a` > 1", 1, 11, 'there is no attribute "metrics.a"'],
    // Operators and values.
    ["metrics.a LIKE '1'", 11, 4, '"LIKE" compares texts, and "a" is a number'],
    ["metrics.a IN (1)", 11, 2, '"IN" compares texts'],
    ["start_time NOT  ILIKE 'x'", 12, 10, '"NOT ILIKE" compares texts'],
    ["params.a > 'x'", 10, 1, '">" compares numbers, and "a" is text'],
    ["tags.a <= 'x'", 8, 2, '"<=" compares numbers'],
    ["status < 'x'", 8, 1, '"<" compares numbers'],
    ["datasets.name >= 'x'", 15, 2, '">=" compares numbers'],
    ["params.a BETWEEN 'a' AND 'b'", 10, 7, '"BETWEEN" compares numbers'],
    ["params.acc = 5", 14, 1, 'expected a text in quotes after "="'],
    ["tags.acc LIKE 5", 15, 1, 'expected a text in quotes after "LIKE"'],
    ["attribute.status = 1", 20, 1, "expected a text in quotes"],
    ["run_id IN ('a', 5)", 17, 1, 'expected a text in quotes after "IN"'],
    ["metric.model = '5'", 16, 3, "numbers stand without quotes"],
    ["start_time > '5'", 14, 3, "numbers stand without quotes"],
    ["metrics.a BETWEEN 1 AND 'x'", 25, 3, "expected a number"],
    ["metrics.a > NaN", 13, 3, "NaN is neither greater nor less"],
    ["metrics.a BETWEEN NaN AND 1", 19, 3, "NaN is neither greater nor less"],
    ["start_time = NaN", 14, 3, "NaN is neither"],
    ["attribute.status = true", 20, 4, "texts stand in single or double quotes"],
  ])("%j at %i", (filter, column, length, what) => {
    const error = errorOf(filter);
    expect(error).toMatchObject({ code: "TRACKING_FILTER_INVALID", kind: "invalid" });
    expect(error.message).toContain(what);
    expect(error.message).toMatch(new RegExp(`^column ${column}: `));
    expect(error.details).toMatchObject({ column, length });
  });

  it.each([
    [experiments, "metrics.a > 1", '"metrics" is none of attributes, tags'],
    [experiments, "params.a = 'x'", '"params" is none of'],
    [experiments, "run_id = 'x'", 'there is no attribute "run_id"; there are name, experiment_id'],
    [experiments, "creation_time = 1.5", "expected a whole number"],
    [experiments, "creation_time = 'x'", "expected a whole number"],
    [registeredModels, "run_id='x'", 'there is no attribute "run_id"'],
    [registeredModels, "source_path = 'A/D'", 'there is no attribute "source_path"'],
    [registeredModels, "name != something", "texts stand in single or double quotes"],
    [registeredModels, "name > 'x'", '">" compares numbers'],
    [registeredModels, "dataset.name = 'x'", '"dataset" is none of'],
    [modelVersions, "version_number = 1.5", "expected a whole number"],
    [modelVersions, "version_number LIKE '1'", '"LIKE" compares texts'],
    [modelVersions, "version_number = '1; DROP TABLE'", "expected a whole number"],
    [modelVersions, "run_id IN (1,2)", "expected a text in quotes"],
    [loggedModels, "datasets.name = 'x'", '"datasets" is none of'],
    [loggedModels, "run_name = 'x'", 'there is no attribute "run_name"'],
  ] as const)("of $table: %s", (entity, filter, what) => {
    expect(errorOf(filter, entity).message).toContain(what);
  });

  it.each([
    ["syntax", "metrics.a >"],
    ["syntax", "run_id IN ("],
    ["room", "nothing.a > 1"],
    ["attribute", "nothing > 1"],
    ["operator", "params.a > 'x'"],
    ["value", "params.a = 1"],
    ["unquoted", "params.a = x"],
    ["list", "run_id IN (1)"],
    ["list", "run_id IN (x)"],
    ["list", "run_id IN ()"],
    ["list", "run_id IN ('a',,'b')"],
  ])("details name the objection: %s in %s", (objection, filter) => {
    expect(errorOf(filter).details).toMatchObject({ objection });
  });

  it("details hold what stands at the column", () => {
    expect(errorOf("metrics.a > 1 AND nothing.`é 1` > 1").details).toMatchObject({
      column: 19,
      length: 13,
      found: "nothing.`é 1`",
    });
  });
});

describe("limits", () => {
  const nested = (depth: number) => `${"(".repeat(depth)}metrics.a > 1${")".repeat(depth)}`;
  it("parentheses go 64 deep and no deeper, whatever else is open", () => {
    expect(read(nested(64))).toBe("[metric a > 1]");
    expect(errorOf(nested(65)).message).toContain("at most 64 deep");
    expect(errorOf(`${"NOT ".repeat(65)}metrics.a > 1`).message).toContain("at most 64 deep");
    expect(errorOf("(".repeat(99_000)).message).toContain("at most 64 deep");
    expect(errorOf(`${"NOT (".repeat(19_000)}`).message).toContain("at most 64 deep");
    // Beside each other they are as many as there is room for.
    expect(read(Array.from({ length: 200 }, () => "(NOT (tags.a = 'x'))").join(" OR "))).toContain("(or (not");
  });

  it("a filter has 256 comparisons, 10,000 values and 100,000 characters", () => {
    const many = (count: number) => Array.from({ length: count }, () => "metrics.a > 1").join(" AND ");
    expect(read(many(256))).toContain("(and");
    expect(errorOf(many(257)).message).toContain("at most 256 comparisons");
    const list = (count: number) => `run_id IN (${Array.from({ length: count }, () => "'x'").join(",")})`;
    expect(read(list(10_000))).toContain("in [");
    expect(errorOf(list(10_001)).message).toContain("at most 10000 values");
    const long = (length: number) => `params.a = '${"x".repeat(length - "params.a = ''".length)}'`;
    expect(read(long(MAX_FILTER_CHARACTERS))).toContain("xxx");
    expect(errorOf(long(MAX_FILTER_CHARACTERS + 1)).message).toContain("at most 100000 characters");
  });

  it("a pattern has 8,000 characters", () => {
    expect(read(`params.a LIKE '${"%".repeat(MAX_PATTERN_CHARACTERS)}'`)).toContain("LIKE");
    expect(errorOf(`params.a LIKE '${"%".repeat(MAX_PATTERN_CHARACTERS + 1)}'`).message).toContain("at most 8000 characters");
  });
});

describe("whatever is given as a filter", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "metrics",
      "params",
      ".",
      "`",
      "'",
      '"',
      "(",
      ")",
      "AND",
      "OR",
      "NOT",
      "IN",
      "IS",
      "NULL",
      "BETWEEN",
      "LIKE",
      "=",
      "<",
      "!",
      ">",
      ",",
      " ",
      "1",
      "-",
      "e",
      "nan",
      "\\",
      ";",
      "a",
      "😀",
      "\0",
      "\n",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  it("is understood or refused with a column inside it, and never anything else", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.constantFrom(runs, experiments, loggedModels, registeredModels, modelVersions),
        (pieces, entity) => {
          const filter = pieces.join("");
          try {
            read(filter, entity);
          } catch (error) {
            if (!(error instanceof OrreryError)) throw error;
            expect(error.code).toBe("TRACKING_FILTER_INVALID");
            expect(error.details.column).toBeGreaterThanOrEqual(1);
            expect(error.details.column).toBeLessThanOrEqual([...filter].length + 1);
          }
        },
      ),
      { numRuns: 5_000, seed: 7 },
    );
  });

  it("with any key and any text in quotes means that key and that text", () => {
    const writable = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(
        writable.filter((key) => key !== ""),
        writable,
        fc.constantFrom("`", '"', "'"),
        fc.constantFrom("'", '"'),
        (key, text, around, quote) => {
          const doubled = (inside: string, mark: string) => `${mark}${inside.replaceAll(mark, mark + mark)}${mark}`;
          expect(read(`params.${doubled(key, around)} = ${doubled(text, quote)}`)).toBe(
            `[param ${key} = ${JSON.stringify(text)}]`,
          );
        },
      ),
      { numRuns: 1_000, seed: 7 },
    );
  });
});

import { randomInt } from "node:crypto";

const ADJECTIVES =
  "able amber bold brave bright brisk calm clear clever cosmic crisp daring deep eager fair fast fine fleet fond frosty gentle glad golden grand happy hardy keen kind late light lively lucky mellow merry mild neat nimble noble orderly patient placid plain polite proud quick quiet rapid rare ready rich royal sharp silent silver sleek slow smart smooth sober solid steady still stoic strong sunny sure swift tidy vivid warm wild wise witty young".split(
    " ",
  );
const ANIMALS =
  "albatross ant badger bat bear beaver bee bison boar buffalo camel carp cat cheetah cod cow crab crane crow deer dolphin donkey dove duck eagle eel elk falcon ferret finch fox frog gnu goat goose grouse gull hare hawk hen heron horse hound ibex jay koala lark lion lizard lynx mink mole moose moth mouse mule newt otter owl ox panda perch pig pike quail ram rat raven robin seal shark sheep shrew shrimp skunk sloth snail squid stag stork swan tern tiger toad trout turtle wasp whale wolf wren yak zebra".split(
    " ",
  );

/** A name for what nobody named: "brisk-otter-417". */
export const generatedName = (): string => `${pick(ADJECTIVES)}-${pick(ANIMALS)}-${randomInt(1_000)}`;

const pick = (words: readonly string[]) => words[randomInt(words.length)];

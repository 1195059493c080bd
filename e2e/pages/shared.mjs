// All of hybi in a shared worker, for the tests to use there.
import * as hybi from "hybi";
import { answerBy } from "./calls.mjs";

globalThis.hybi = hybi;
// The function comes as its source.
answerBy({ evaluate: (source, argument) => (0, eval)(`(${source})`)(argument) });

// All of hybi, for the tests to use in a page.
import * as hybi from "hybi";

globalThis.hybi = hybi;
document.documentElement.dataset.ready = "";

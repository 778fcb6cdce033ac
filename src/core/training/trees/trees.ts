export { addTree } from "./add-tree.ts";

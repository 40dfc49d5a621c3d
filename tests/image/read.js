// Parses the Dockerfile as Docker does, reports errors in it, and prints the build steps as JSON.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import dockerignore from '@balena/dockerignore';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';

const read = (file) => readFileSync(file, 'utf8');
const faults = validate(read('Dockerfile')).map(
  ({ range, message }) => `Dockerfile, line ${range.start.line + 1}: ${message}`,
);
const demand = (holds, fault) => holds || faults.push(fault);

const stages = [];
for (const instruction of DockerfileParser.parse(read('Dockerfile')).getInstructions()) {
  if (instruction.getKeyword() === 'FROM') stages.push({ from: instruction, rest: [] });
  else stages.at(-1).rest.push(instruction);
}
const [build, final] = [stages[0], stages.at(-1)];
const all = (stage, keyword) => stage.rest.filter((instruction) => instruction.getKeyword() === keyword);
const words = (instruction) => instruction.getArguments().map((word) => word.getValue());
const last = (keyword) => words(all(final, keyword).at(-1));
// The command without Docker's own flags.
const text = (instruction) => instruction.getRawArgumentsContent().replace(/--mount=\S+\s+(\\\n\s*)?/g, '');
// The JSON form ["a", "b"] of a health check or an entry point.
const command = (text) => JSON.parse(text.slice(text.indexOf('[')));

const rust = read('Cargo.toml').match(/^rust-version = "(.*)"$/m)[1];
demand(
  build.from.getImageName() === 'rust' && build.from.getImageTag().split('-')[0] === rust,
  `Dockerfile: the image is built with ${build.from.getImage()}, and the program needs Rust ${rust}`,
);
demand(final.from.getImage() === 'scratch', 'Dockerfile: the last stage begins with files that nobody looks at');

const ignored = dockerignore().add(read('.dockerignore'));
const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
const sources = all(build, 'COPY').flatMap((copy) => words(copy).slice(0, -1));
for (const source of sources) {
  const below = tracked.filter((file) => file === source || file.startsWith(`${source}/`));
  demand(below.length > 0, `Dockerfile: COPY ${source}: there is no such file`);
  for (const file of below) demand(!ignored.ignores(file), `.dockerignore: ${file} is ignored, and copied`);
}
for (const file of ['.env', '.git/config', 'data/secret', 'target/debug/taskhold']) {
  demand(ignored.ignores(file), `.dockerignore: ${file} goes to the engine`);
}

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
const plan = {
  sources,
  // The first RUN installs tools.
  run: text(all(build, 'RUN').at(-1)),
  copies: all(final, 'COPY').map((copy) => ({
    owner: copy.getFlags().find((flag) => flag.getName() === 'chown')?.getValue() ?? '0:0',
    from: words(copy)[0],
    to: words(copy)[1],
  })),
  environment: all(final, 'ENV').flatMap((env) => env.getProperties().map((p) => `${p.getName()}=${p.getValue()}`)),
  user: last('USER')[0],
  folder: last('WORKDIR')[0],
  program: command(all(final, 'ENTRYPOINT').at(-1).getRawArgumentsContent()),
  healthcheck: command(all(final, 'HEALTHCHECK').at(-1).getRawArgumentsContent()),
};
console.log(JSON.stringify(plan));

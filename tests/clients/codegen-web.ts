// The client preset on the operations of examples/web, with the options of its own configuration.
import type { CodegenConfig } from '@graphql-codegen/cli';
import web from '../../examples/web/codegen.js';

const config: CodegenConfig = {
  ...web,
  documents: '../../examples/web/src/shared/operations.graphql',
  generates: { './generated/web/generated/': web.generates['./src/generated/'] },
};

export default config;

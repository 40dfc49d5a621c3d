// The client preset of GraphQL Code Generator, on the folder of operations and the two applications.
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['operations/*.graphql', 'src/*-app.ts'],
  generates: {
    './generated/': {
      preset: 'client',
      config: {
        strictScalars: true,
        scalars: { DateTime: 'string', Date: 'string' },
        enumsAsTypes: true,
        useTypeImports: true,
        importExtension: '.js',
        emitLegacyCommonJSImports: false,
      },
    },
  },
};

export default config;

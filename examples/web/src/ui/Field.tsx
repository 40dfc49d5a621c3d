// An input with its label, and the sentence about what is wrong with its value.
import { useId, type ComponentProps } from 'react';

type Props = ComponentProps<'input'> & { label: string; fault?: string };

export function Field({ label, fault, ...input }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-invalid={fault ? true : undefined} aria-describedby={fault ? `${id}-fault` : undefined} {...input} />
      {fault && <span className="fault" id={`${id}-fault`} role="alert">{fault}</span>}
    </div>
  );
}

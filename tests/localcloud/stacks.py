"""The SAM transform sees the values of a stack's parameters, as on AWS.

CloudFormation User Guide, "Create an AWS Lambda-backed macro": a macro receives `templateParameterValues`. MiniStack
gives its SAM transform none, so that it works with the defaults only; whatever SAM itself decides by a parameter (the
switch of gradual deployments is one) could not be chosen.
"""

from __future__ import annotations

import contextvars

_values: contextvars.ContextVar[dict] = contextvars.ContextVar("parameter_values", default={})


def install(engine, handlers, changesets) -> None:
    """Hands the resolved values to SAM's translator."""
    from samtranslator.translator import transform as sam

    apply, translate = engine._apply_transforms, sam.transform

    def with_values(template, provided_params=None, previous_params=None):
        values = engine._transform_parameters(template, provided_params, previous_params)
        token = _values.set(values)
        try:
            return apply(template, provided_params, previous_params)
        finally:
            _values.reset(token)

    def with_parameters(template, parameters, *rest, **options):
        return translate(template, {**_values.get(), **parameters}, *rest, **options)

    sam.transform = with_parameters
    for module in (engine, handlers, changesets):
        module._apply_transforms = with_values

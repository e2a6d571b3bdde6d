"""The SAM transform sees the values of a stack's parameters, and conditions see account and Region, as on AWS.

CloudFormation User Guide, "Create an AWS Lambda-backed macro": a macro receives `templateParameterValues`. MiniStack
gives its SAM transform none, so that it works with the defaults only; whatever SAM itself decides by a parameter (the
switch of gradual deployments is one) could not be chosen.

"Pseudo parameters reference" and "Condition functions": AWS::Region and the others may be compared in Conditions. MiniStack takes
such a reference there for its own name, so that what depends on the account or Region of a stack was silently left out.
"""

from __future__ import annotations

import contextvars

_values: contextvars.ContextVar[dict] = contextvars.ContextVar("parameter_values", default={})


def install(engine, handlers, changesets, stacks, responses) -> None:
    """Hands the resolved values to SAM's translator, and the pseudo parameters to the conditions."""
    _transform(engine, handlers, changesets)
    evaluate = engine._evaluate_conditions

    def with_pseudo_parameters(template, params):
        return evaluate(template, {**pseudo_parameters(responses), **params})

    for module in (engine, handlers, changesets, stacks):
        module._evaluate_conditions = with_pseudo_parameters


def pseudo_parameters(responses) -> dict:
    """Where a stack is made, in the form of parameters."""
    values = {"AWS::AccountId": responses.get_account_id(), "AWS::Region": responses.get_region(), "AWS::Partition": "aws",
              "AWS::URLSuffix": "amazonaws.com"}
    return {name: {"Value": value} for name, value in values.items()}


def _transform(engine, handlers, changesets) -> None:
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

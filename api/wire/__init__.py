"""AWS's wire forms, driven by botocore's service models and free of any web framework.

Protocol-neutral: `model`, `compiled`, `constraints`, `demands`, `javatext`, `jsonread`, `jsonwrite`, `textvalue`,
`validate`, `errors`, `response`, `signature`. REST-JSON alone: `router`, `parse`, `serialize`; AWS JSON alone:
`awsjson`; `protocol` is the table of the two. `dialect` has what differs by service, `service` the order of it all.
Lambda alone: `meaning`, `names`.
"""

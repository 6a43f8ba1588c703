"""AWS's wire forms, driven by botocore's service models and free of any web framework.

Protocol-neutral: `model`, `compiled`, `constraints`, `demands`, `javatext`, `jsonread`, `jsonwrite`, `textvalue`,
`validate`, `errors`, `response`, `signature`. REST-JSON alone: `router`, `parse`, `serialize`. Lambda alone:
`meaning`, `names`, `service`.
"""

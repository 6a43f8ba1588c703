"""The account: its quotas and what it uses of them."""

from relambda.api.call import Call, Output, operation
from relambda.api.capacity import unreserved


@operation("GetAccountSettings")
def get_account_settings(call: Call) -> Output:
    """Limits and usage of the caller's account in the caller's region."""
    limits, views = call.cloud.limits, call.cloud.views
    return {
        "AccountLimit": {
            "TotalCodeSize": limits.total_code_size,
            "CodeSizeUnzipped": limits.code_size_unzipped,
            "CodeSizeZipped": limits.code_size_zipped,
            "ConcurrentExecutions": limits.concurrent_executions,
            "UnreservedConcurrentExecutions": unreserved(call.cloud, call.scope),
        },
        "AccountUsage": {
            "TotalCodeSize": views.usage(call.scope)[1],
            "FunctionCount": views.count("functions", call.scope),
        },
    }

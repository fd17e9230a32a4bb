"""The E-value: how strong an unmeasured trait would have to be. e_value(rr)->float ; e_value_limit(low, high)->float"""
